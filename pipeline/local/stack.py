"""The whole stack: started all at once where possible, ended in order, with nothing left behind."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from pipeline.local import state as local
from pipeline.local.containers import Container, ContainerSpec
from pipeline.local.errors import StackError
from pipeline.local.kafka import GRACE_S as KAFKA_GRACE_S
from pipeline.local.kafka import KafkaBroker, KafkaPorts
from pipeline.local.kafka_admin import create_topics, is_answering, to_toml
from pipeline.local.plan import Plan
from pipeline.local.pods import mint_pod
from pipeline.local.processes import Daemon, base_environment
from pipeline.local.readiness import LOOPBACK, answers_ok, choose_ports, is_open, wait_until
from pipeline.local.services import Service, build_environment
from pipeline.local.state import PodState, StackState, StateFolder

KAFKA, LOGGING, AGENT = "kafka", "cloud-logging", "log-agent"
_SWITCHES = "switches"  # of the logging server: a port of its own
_EXTERNAL_KAFKA_S = 10.0
# the agent sends what is left for up to 5 s
_GRACE_S = {KAFKA: KAFKA_GRACE_S, LOGGING: 2.0, AGENT: 6.0}


class Stack:
    """One stack, as an asynchronous context: it is ready inside, and gone after it.

    `report` hears what has become ready, in a few words each. `StackError` tells what kept it from
    starting.
    """

    def __init__(self, plan: Plan, report: Callable[[str], None] = lambda _: None) -> None:
        self._plan = plan
        self._report = report
        self._daemons: dict[str, Daemon] = {}
        self._containers: dict[str, Container] = {}
        self._ports: dict[str, int] = {}
        self._bootstrap = plan.bootstrap or ""
        self._folder: StateFolder | None = None

    async def __aenter__(self) -> Self:
        self._folder = StateFolder.claim(self._plan.folder)
        try:
            await self._start(self._folder)
        except BaseException:
            await self._stop(self._folder)
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._folder:
            await self._stop(self._folder)

    @property
    def state(self) -> StackState:
        """The stack as ``stack.json`` has it."""
        return StackState(
            supervisor=os.getpid(),
            logging=f"http://{LOOPBACK}:{self._ports[LOGGING]}",
            kafka=self._bootstrap,
            switches=f"http://{LOOPBACK}:{self._ports[_SWITCHES]}/switches",
            daemons={name: daemon.pid for name, daemon in sorted(self._daemons.items())},
            pods={key: self._describe(key, container) for key, container in sorted(self._containers.items())},
            services={key: f"{LOOPBACK}:{self._ports[key]}" for key in sorted(self._containers)},
        )

    async def restart(self, service: str) -> None:
        """Restart one service; returns when the new one is ready. Raises `StackError`."""
        self.state.pod_of(service)
        await self._containers[service].restart()
        if not await wait_until(lambda: answers_ok(self._ports[service], "/readyz"), self._plan.ready_s):
            raise self._not_ready(service)

    async def watch(self) -> None:
        """Wait, for ever if all is well; raises `StackError` when a part that is no pod has ended."""
        ends = {asyncio.create_task(daemon.wait()): daemon for daemon in self._daemons.values()}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        ended = ends[done.pop()]
        raise StackError(f"{ended.name} has ended: {ended.last_line()}")

    def kill(self) -> None:
        """End everything at once; what is being stopped in order gets no more grace."""
        for container in self._containers.values():
            container.kill()
        for daemon in self._daemons.values():
            daemon.kill()

    async def _start(self, folder: StateFolder) -> None:
        names = [LOGGING, _SWITCHES, *(service.key for service in self._plan.services)]
        client, controller, *ports = choose_ports(2 + len(names))
        kafka_ports = KafkaPorts(client, controller)
        self._ports = dict(zip(names, ports, strict=True))
        self._bootstrap = self._plan.bootstrap or f"{LOOPBACK}:{kafka_ports.client}"
        self._containers = {
            service.key: self._build_container(service, folder) for service in self._plan.services
        }
        self._write_settings(folder)
        await all_at_once(
            self._start_kafka(folder, kafka_ports),  # first: it takes longest
            self._start_logging(folder),
            self._start_independent(folder),
        )
        folder.write_state(self.state)

    def _write_settings(self, folder: StateFolder) -> None:
        folder.write_diag_toml(self.state, topics=to_toml(self._plan.wanted))

    async def _start_independent(self, _folder: StateFolder) -> None:
        """What needs neither Kafka nor the logging server to start."""
        await self._start_services(needs_kafka=False)

    async def _start_dependent(self, _folder: StateFolder) -> None:
        """What needs Kafka and its topics."""
        await self._start_services(needs_kafka=True)

    async def _start_services(self, *, needs_kafka: bool) -> None:
        await all_at_once(
            *(
                self._start_service(service.key)
                for service in self._plan.services
                if service.needs_kafka is needs_kafka
            )
        )

    async def _start_logging(self, folder: StateFolder) -> None:
        """The logging server, and the agent beside it, which waits for the server by itself."""
        base = base_environment(folder.temporary) | {"GOOGLE_CLOUD_PROJECT": local.PROJECT}
        port = self._ports[LOGGING]
        places = {"HOST": LOOPBACK, "PORT": str(port), "ADMIN_PORT": str(self._ports[_SWITCHES])}
        server = await self._start_daemon(
            folder, LOGGING, "pipeline.local.cloud_logging", base | dict(self._plan.switches) | places
        )
        settings = {
            "PODS_DIR": str(folder.pods),
            "LOGGING_ENDPOINT": f"http://{LOOPBACK}:{port}",
            "CLUSTER_NAME": local.CLUSTER,
            "CLUSTER_LOCATION": local.LOCATION,
            "NODE_NAME": local.NODE_NAME,
        }
        await self._start_daemon(folder, AGENT, "pipeline.local.log_agent", base | settings)

        async def is_open_or_ended() -> bool:
            return not server.running or await is_open(port)

        if not await wait_until(is_open_or_ended, self._plan.ready_s) or not server.running:
            raise StackError(f"{LOGGING} does not start: {server.last_line()}")
        self._report("logging is ready")

    async def _start_daemon(
        self, folder: StateFolder, name: str, module: str, environment: dict[str, str]
    ) -> Daemon:
        argv = (sys.executable, "-m", module)
        self._daemons[name] = await Daemon.start(name, argv, environment, folder.daemon_log(name))
        return self._daemons[name]

    async def _start_kafka(self, folder: StateFolder, ports: KafkaPorts) -> None:
        """Kafka and the topics, then whoever needs them."""
        if self._plan.bootstrap is None:
            broker = await KafkaBroker.start(
                folder.kafka, ports, base_environment(folder.temporary), folder.daemon_log(KAFKA)
            )
            self._daemons[KAFKA] = broker.daemon
            await broker.wait_ready(self._plan.ready_s)
        elif self._plan.topics and not await wait_until(self._answers, _EXTERNAL_KAFKA_S):
            raise StackError(f"Kafka at {self._bootstrap} does not answer")
        if self._plan.topics:
            await create_topics(self._bootstrap, self._plan.topics)
        self._report("Kafka is ready")
        await self._start_dependent(folder)

    async def _answers(self) -> bool:
        return await is_answering(self._bootstrap)

    def _build_container(self, service: Service, folder: StateFolder) -> Container:
        pod = mint_pod(service.name, local.NAMESPACE, template=" ".join((service.name, *service.argv[1:])))
        base = base_environment(folder.temporary)
        environment = build_environment(
            service, pod.name, self._ports, self._bootstrap, base, state=folder.state
        )
        spec = ContainerSpec(pod, service.argv, environment)
        return Container(spec, folder.pods, self._plan.restarts, lambda _: folder.write_state(self.state))

    async def _start_service(self, name: str) -> None:
        container = self._containers[name]
        await container.start()

        async def is_ready_or_ended() -> bool:
            return container.exit_code is not None or await answers_ok(self._ports[name], "/readyz")

        in_time = await wait_until(is_ready_or_ended, self._plan.ready_s)
        if container.exit_code is not None:
            raise StackError(
                f"{name} ended with code {container.exit_code} before it was ready: {container.last_line}"
            )
        if not in_time:
            raise self._not_ready(name)
        self._report(f"{name} is ready")

    def _not_ready(self, name: str) -> StackError:
        last_line = self._containers[name].last_line
        return StackError(f"{name} is not ready after {self._plan.ready_s:g} s: {last_line}")

    def _describe(self, key: str, container: Container) -> PodState:
        pod = container.spec.pod
        return PodState(pod.name, pod.uid, self._ports[key], container.pid, container.restarts)

    async def _stop(self, folder: StateFolder) -> None:
        """Services first, so that their last lines are sent; then the rest; the folder last."""
        async with AsyncExitStack() as ends:
            ends.callback(folder.release)
            for name in (KAFKA, LOGGING, AGENT):
                if name in self._daemons:
                    ends.push_async_callback(self._daemons[name].stop, _GRACE_S[name])
            await self._stop_services()

    async def _stop_services(self) -> None:
        await asyncio.gather(
            *(container.stop() for container in self._containers.values()), return_exceptions=True
        )


async def all_at_once(*coroutines: Coroutine[object, object, None]) -> None:
    """Run all; the first that fails ends the others, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
