"""The life of one container: pulled, configured, run, probed, restarted, ended."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipeline.local.back_off import BackOff
from pipeline.local.cri import log_path
from pipeline.local.errors import StackError
from pipeline.local.kubelet.ending import end_run
from pipeline.local.kubelet.environment import ConfigError, build_environment, expand
from pipeline.local.kubelet.events import NORMAL, WARNING
from pipeline.local.kubelet.handlers import Target
from pipeline.local.kubelet.host import Host
from pipeline.local.kubelet.images import Image, PullError
from pipeline.local.kubelet.memory import exceed
from pipeline.local.kubelet.observations import (
    ContainerSeen,
    Running,
    Terminated,
    Waiting,
    to_exit_code,
    to_reason,
)
from pipeline.local.kubelet.probing import Probing
from pipeline.local.kubelet.pulling import obtain_image
from pipeline.local.kubelet.recovery import recover
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec, Probe
from pipeline.local.kubelet.times import format_duration
from pipeline.local.pods import Pod
from pipeline.local.runs import Run

_SYNC_S = 1.0  # how long an error stands before the back-off takes its place


class ContainerWorker:
    """One container of a pod.

    `on_change` is called whenever `seen` has changed; `restarts` says whether an exit code is followed
    by another run.

    Attributes:
        seen: what there is to report.
        logs: the log file of each run by container ID.
    """

    def __init__(
        self,
        pod: PodSpec,
        spec: ContainerSpec,
        host: Host,
        pod_ip: str,
        *,
        restarts: Callable[[int], bool],
        on_change: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.seen = recover(pod.manifest.get("status", {}), spec.name, time.time())
        self.logs: dict[str, Path] = {}
        self._pod = pod
        self._host = host
        self._pod_ip = pod_ip
        self._restarts = restarts
        self._on_change = on_change
        self._run: Run | None = None
        self._target = Target(pod_ip)
        self._stopping = asyncio.Event()

    async def live(self) -> None:
        """Run the container until it is over: by its restart policy, or by `stop`."""
        back_off = BackOff(self._host.restarts)
        while (image := await self._pull()) and (target := await self._configure()):
            end = await self._run_once(image, target)
            if self._stopping.is_set() or not self._restarts(end.exit_code):
                return
            await self._hold_back(back_off.wait_s(end.finished_at - end.started_at))

    def is_running(self, container_id: str) -> bool:
        """Whether the run `container_id` may still write to its log."""
        return self.seen.container_id == container_id and isinstance(self.seen.state, Running)

    async def stop(self, grace_s: float, *, with_hook: bool) -> None:
        """End the present run and let no other follow; `live` returns by itself."""
        self._stopping.set()
        if self._run:
            self._tell("Killing", f"Stopping container {self.spec.name}")
            hook = self.spec.pre_stop if with_hook else None
            await end_run(self._run, hook, self._target, grace_s)

    def kill(self) -> None:
        """End the present run without grace."""
        if self._run:
            self._run.kill()

    async def _pull(self) -> Image | None:
        """The image, once it can be had; None when the container is stopped."""
        back_off = BackOff(self._host.restarts, free=0)
        while not self._stopping.is_set():
            try:
                return obtain_image(self.spec, self._host.images, self._tell)
            except PullError as error:
                self._tell("Failed", f"Error: {error.reason}", WARNING)
                self._wait(error.reason, str(error))
                await self._hold_back_pull(error, back_off.wait_s(0))
        return None

    async def _hold_back_pull(self, error: PullError, wait_s: float) -> None:
        shown_s = min(_SYNC_S, wait_s / 2)
        if await self._pause(shown_s) or error.reason != "ErrImagePull":
            await self._pause(wait_s - shown_s)
            return
        message = f'Back-off pulling image "{self.spec.image}"'
        self._tell("BackOff", message)
        self._tell("Failed", "Error: ImagePullBackOff", WARNING)
        self._wait("ImagePullBackOff", f"{message}: {error.reason}: {error}")
        await self._pause(wait_s - shown_s)

    async def _configure(self) -> Target | None:
        """The environment, once it can be made; None when the container is stopped."""
        while not self._stopping.is_set():
            try:
                around = await self._host.look_around(self._pod, self.spec, self._pod_ip)
                return Target(self._pod_ip, build_environment(self._pod, self.spec, around))
            except ConfigError as error:
                self._tell("Failed", f"Error: {error}", WARNING)
                self._wait("CreateContainerConfigError", str(error))
            except StackError:
                pass  # the API server is away
            await self._pause(self._host.restarts.first_s)
        return None

    async def _run_once(self, image: Image, target: Target) -> Terminated:
        """One run, from its start to the last line of its log."""
        has_run = bool(self.seen.container_id)
        last = self.seen.state if isinstance(self.seen.state, Terminated) else self.seen.last
        number = self.seen.restarts + has_run
        container_id = f"containerd://{secrets.token_hex(32)}"
        log = self.logs[container_id] = log_path(self._host.logs, self._identity, number)
        began = time.time()
        self._tell("Created", "Container created")
        run = self._run = await Run.start(self._build_argv(image, target), target.environment, log)
        self._target = target
        self._tell("Started", "Container started")
        self._see(ContainerSeen(Running(began), last, number, container_id, image.id))
        if self._stopping.is_set():
            run.kill()
        exit_code, out_of_memory = await self._attend(run, target)
        self._run = None
        reason = to_reason(exit_code, out_of_memory=out_of_memory)
        end = Terminated(exit_code, reason, began, time.time(), container_id)
        self._see(replace(self.seen, state=end, started=False, ready=False))
        return end

    def _build_argv(self, image: Image, target: Target) -> tuple[str, ...]:
        """What runs: the spec's ``command`` takes the place of the image's."""
        command = expand(self.spec.command, target.environment) or image.argv
        return (*command, *expand(self.spec.args, target.environment))

    async def _attend(self, run: Run, target: Target) -> tuple[int, bool]:
        """Probe the run until it has ended; its exit code, and whether its memory limit has ended it."""
        probing = Probing(
            self.spec,
            target,
            on_failure=self._tell_probe_failure,
            on_change=lambda: self._believe(probing),
            kill=self._give_up,
        )
        self._believe(probing)
        attending = (asyncio.create_task(probing.run()), asyncio.create_task(self._limit_memory(run)))
        try:
            exit_code = to_exit_code(await run.wait())
            return exit_code, attending[1].done()
        finally:
            for task in attending:
                task.cancel()
            await asyncio.gather(*attending, return_exceptions=True)

    async def _limit_memory(self, run: Run) -> None:
        """Return when the run has used too much memory, and was killed for it."""
        if self.spec.memory_bytes is None:
            await asyncio.Future()
        else:
            await exceed(run.pid, self.spec.memory_bytes)
            run.kill()

    def _believe(self, probing: Probing) -> None:
        self._see(replace(self.seen, started=probing.started, ready=probing.ready))

    def _tell_probe_failure(self, kind: str, why: str) -> None:
        self._tell("Unhealthy", f"{kind.capitalize()} probe failed: {why}", WARNING)

    async def _give_up(self, kind: str, probe: Probe) -> None:
        """A probe has failed for good: end the run, the restart policy does the rest."""
        if self._run is None or self._stopping.is_set():
            return
        grace_s = self._pod.grace_s if probe.grace_s is None else probe.grace_s
        message = f"Container {self.spec.name} failed {kind} probe"
        if self._restarts(1):
            message += ", will be restarted"
        self._tell("Killing", message)
        # the probes are cancelled when the run ends; what ends it is finished all the same
        end = asyncio.create_task(end_run(self._run, self.spec.pre_stop, self._target, grace_s))
        await asyncio.shield(end)

    async def _hold_back(self, wait_s: float) -> None:
        """Wait before the next run, as a container in a crash loop does."""
        if wait_s <= 0 or self._stopping.is_set():
            return
        name, pod = self.spec.name, self._pod.full_name
        self._tell("BackOff", f"Back-off restarting failed container {name} in pod {pod}", WARNING)
        message = f"back-off {format_duration(wait_s)} restarting failed container={name} pod={pod}"
        self._wait("CrashLoopBackOff", message)
        await self._pause(wait_s)

    async def _pause(self, seconds: float) -> bool:
        """Wait; whether the container was stopped meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    def _wait(self, reason: str, message: str) -> None:
        state = self.seen.state
        last = state if isinstance(state, Terminated) else self.seen.last
        self._see(replace(self.seen, state=Waiting(reason, message), last=last, started=False, ready=False))

    def _see(self, seen: ContainerSeen) -> None:
        if seen != self.seen:
            self.seen = seen
            self._on_change()

    def _tell(self, reason: str, message: str, type_: str = NORMAL) -> None:
        self._host.events.tell(self._pod, reason, message, container=self.spec.name, type_=type_)

    @property
    def _identity(self) -> Pod:
        return Pod(self._pod.namespace, self._pod.name, self._pod.uid, self.spec.name)
