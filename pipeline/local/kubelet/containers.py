"""The life of one container: prepared, run, probed, restarted, ended."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.local.back_off import BackOff
from pipeline.local.cri import log_path
from pipeline.local.kubelet.ending import end_run
from pipeline.local.kubelet.environment import expand
from pipeline.local.kubelet.events import WARNING
from pipeline.local.kubelet.handlers import Target
from pipeline.local.kubelet.host import Host
from pipeline.local.kubelet.images import Image
from pipeline.local.kubelet.memory import exceed
from pipeline.local.kubelet.observations import (
    ContainerSeen,
    Running,
    Terminated,
    never_started,
    to_exit_code,
    to_reason,
)
from pipeline.local.kubelet.preparing import configure, find_start_error, hold_back, pull
from pipeline.local.kubelet.probing import Probing
from pipeline.local.kubelet.record import ContainerRecord
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec, Probe
from pipeline.local.pods import Pod
from pipeline.local.runs import Run


class ContainerWorker:
    """One container of a pod.

    `on_change` is called whenever `seen` has changed; `restarts` says whether an exit code is followed
    by another run.

    Attributes:
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
        self.logs: dict[str, Path] = {}
        self._record = ContainerRecord(pod, spec, host.events, on_change)
        self._pod = pod
        self._spec = spec
        self._host = host
        self._target = Target(pod_ip)
        self._restarts = restarts
        self._run: Run | None = None

    @property
    def seen(self) -> ContainerSeen:
        """What there is to report."""
        return self._record.seen

    async def live(self) -> None:
        """Run the container until it is over: by its restart policy, or by `stop`."""
        back_off = BackOff(self._host.restarts)
        while image := await pull(self._record, self._host):
            target = await configure(self._record, self._host, self._target.pod_ip)
            if target is None:
                return
            self._target = target
            end = await self._run_once(image)
            if self._record.stopping.is_set() or not self._restarts(end.exit_code):
                return
            await hold_back(self._record, back_off.wait_s(end.ran_s))

    def is_running(self, container_id: str) -> bool:
        """Whether the run `container_id` may still write to its log."""
        return self.seen.container_id == container_id and isinstance(self.seen.state, Running)

    async def stop(self, grace_s: float, *, with_hook: bool) -> None:
        """End the present run and let no other follow; `live` returns by itself."""
        self._record.stopping.set()
        if self._run:
            self._record.tell("Killing", f"Stopping container {self._spec.name}")
            hook = self._spec.pre_stop if with_hook else None
            await end_run(self._run, hook, self._target, grace_s)

    def kill(self) -> None:
        """End the present run without grace."""
        if self._run:
            self._run.kill()

    async def _run_once(self, image: Image) -> Terminated:
        """One run, from its start to the last line of its log."""
        seen = self.seen
        last = seen.state if isinstance(seen.state, Terminated) else seen.last
        number = seen.restarts + bool(seen.container_id)
        container_id = f"containerd://{secrets.token_hex(32)}"
        began = time.time()
        command = self._build_command(image)
        self._record.tell("Created", "Container created")
        cannot = find_start_error(command[0], self._target.environment)
        if cannot is not None:
            end = never_started(container_id, cannot, began)
            self._note_start_error(ContainerSeen(end, last, number, container_id, image.id), cannot)
            return end
        run = self._run = await self._start(command, container_id, number)
        self._record.see(ContainerSeen(Running(began), last, number, container_id, image.id))
        exit_code, out_of_memory = await self._attend(run)
        self._run = None
        reason = to_reason(exit_code, out_of_memory=out_of_memory)
        end = Terminated(exit_code, reason, began, time.time(), container_id)
        self._record.see(replace(self.seen, state=end, started=False, ready=False))
        return end

    def _build_command(self, image: Image) -> tuple[str, ...]:
        """The spec's ``command`` takes the place of the image's."""
        variables = self._target.environment
        return (
            *(expand(self._spec.command, variables) or image.argv),
            *expand(self._spec.args, variables),
        )

    def _note_start_error(self, seen: ContainerSeen, why: str) -> None:
        """It has ended before it began; where it is tried again, it waits for that."""
        self._record.tell("Failed", f"Error: {why}", WARNING)
        self._record.see(seen)
        if self._restarts(1) and not self._record.stopping.is_set():
            self._record.wait_for("RunContainerError", why)

    async def _start(self, command: tuple[str, ...], container_id: str, number: int) -> Run:
        pod = Pod(self._pod.namespace, self._pod.name, self._pod.uid, self._spec.name)
        log = self.logs[container_id] = log_path(self._host.logs, pod, number)
        run = await Run.start(command, self._target.environment, log)
        self._record.tell("Started", "Container started")
        if self._record.stopping.is_set():
            run.kill()
        return run

    async def _attend(self, run: Run) -> tuple[int, bool]:
        """Probe the run until it has ended; its exit code, and whether its memory limit has ended it."""
        probing = Probing(
            self._spec,
            self._target,
            on_failure=self._tell_probe_failure,
            on_change=lambda: self._believe(probing),
            kill=self._give_up,
        )
        self._believe(probing)
        probes, limit = asyncio.create_task(probing.run()), asyncio.create_task(self._limit_memory(run))
        try:
            return to_exit_code(await run.wait()), limit.done()
        finally:
            probes.cancel()
            limit.cancel()
            await asyncio.gather(probes, limit, return_exceptions=True)

    async def _limit_memory(self, run: Run) -> None:
        """Return when the run has used too much memory, and was killed for it."""
        if self._spec.memory_bytes is None:
            await asyncio.Future()
        else:
            await exceed(run.pid, self._spec.memory_bytes)
            run.kill()

    def _believe(self, probing: Probing) -> None:
        self._record.see(replace(self.seen, started=probing.started, ready=probing.ready))

    def _tell_probe_failure(self, kind: str, why: str) -> None:
        self._record.tell("Unhealthy", f"{kind.capitalize()} probe failed: {why}", WARNING)

    async def _give_up(self, kind: str, probe: Probe) -> None:
        """A probe has failed for good: end the run, the restart policy does the rest."""
        if self._run is None or self._record.stopping.is_set():
            return
        grace_s = self._pod.grace_s if probe.grace_s is None else probe.grace_s
        message = f"Container {self._spec.name} failed {kind} probe"
        if self._restarts(1):
            message += ", will be restarted"
        self._record.tell("Killing", message)
        # the probes are cancelled when the run ends; what ends it is finished all the same
        end = asyncio.create_task(end_run(self._run, self._spec.pre_stop, self._target, grace_s))
        await asyncio.shield(end)
