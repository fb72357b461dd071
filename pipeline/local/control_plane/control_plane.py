"""One control plane in a folder of its own: started, ready, stopped, and gone with who started it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import Api
from pipeline.local.control_plane.commands import AUDIT_LOG, Layout, Ports, build_commands
from pipeline.local.control_plane.keys import Keys, make_keys
from pipeline.local.control_plane.network import SERVICES, Subnet
from pipeline.local.control_plane.node import build_foundation, is_founded
from pipeline.local.control_plane.programs import (
    API_SERVER,
    BUILD_COMMAND,
    CONTROLLER_MANAGER,
    ETCD,
    SCHEDULER,
    find_programs,
)
from pipeline.local.errors import StackError
from pipeline.local.processes import Daemon, base_environment
from pipeline.local.readiness import LOOPBACK, choose_ports, wait_until

READY_S = 60.0
_GRACE_S = 3.0


class ControlPlane:
    """A control plane, as an asynchronous context: it is ready inside, and gone after it.

    Everything that it writes is in `folder`, which is to be empty. `StackError` tells what kept it
    from starting. It has no node before a kubelet registers one.

    Attributes:
        daemons: its processes, by the name of the program.
        programs: what they run, and kubectl.
        keys: those of its servers, from the start on.
    """

    keys: Keys

    def __init__(self, folder: Path, *, logs: Path | None = None, ready_s: float = READY_S) -> None:
        self.daemons: dict[str, Daemon] = {}
        self.programs = find_programs()
        self._folder = folder.resolve()
        self._logs = logs or self._folder / "logs"
        self._ready_s = ready_s
        self._ports = Ports(*choose_ports(5))
        self._services = Subnet(SERVICES)

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    def kubeconfig(self, user: access.User = access.ADMIN) -> Path:
        """The kubeconfig of `user`."""
        return access.kubeconfig_path(self._folder / "users", user)

    def api(self, user: access.User = access.ADMIN) -> Api:
        """The API server as `user` asks it, an asynchronous context."""
        return Api(self.kubeconfig(user))

    def kubectl_environment(self, user: access.User = access.ADMIN) -> dict[str, str]:
        """What ``kubectl`` needs to act as `user`; what it remembers, it keeps in the folder."""
        return {"KUBECONFIG": str(self.kubeconfig(user)), "KUBECACHEDIR": str(self._folder / "kubectl")}

    @property
    def audit_log(self) -> Path:
        """Where the API server writes who has changed what, in lines of JSON."""
        return self._folder / AUDIT_LOG

    async def stop(self) -> None:
        """End one after the other, the last first: none waits for one that has gone."""
        try:
            for daemon in reversed(self.daemons.values()):
                await daemon.stop(_GRACE_S)
        finally:
            self.kill()
            self._services.close()

    def kill(self) -> None:
        """End all without grace."""
        for daemon in self.daemons.values():
            if daemon.running:
                daemon.kill()

    async def _start(self) -> None:
        if not self.programs.are_built:  # that takes minutes, which nobody expects of a start
            raise StackError(f"the control plane is not built yet; get it: {BUILD_COMMAND}")
        layout = self._lay_out()
        async with self.api() as api:
            await self._launch(layout, ETCD, API_SERVER)
            await self._await(lambda: api.answers_ok("/readyz"))
            await self._launch(layout, CONTROLLER_MANAGER, SCHEDULER)
            for item in build_foundation():
                await api.apply(item)
            for port in (self._ports.controllers, self._ports.scheduler):
                await self._await(partial(api.answers_ok, "/healthz", f"https://{LOOPBACK}:{port}"))
            await self._await(partial(is_founded, api))

    def _lay_out(self) -> Layout:
        """Everything that must be there before the first process starts."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.keys = make_keys(self._folder / "keys")
        layout = Layout(self._folder, self.keys, self._ports, self._services.cidr)
        tokens = access.make_tokens(access.USERS, layout.tokens)
        server = f"https://{LOOPBACK}:{self._ports.api}"
        access.write_kubeconfigs(layout.users, server, layout.keys.authority, tokens)
        return layout

    async def _launch(self, layout: Layout, *programs: str) -> None:
        commands = build_commands(self.programs, layout)
        for program in programs:
            self.daemons[program] = await Daemon.start(
                program,
                commands[program],
                base_environment(self._folder),
                self._logs / f"{program}.log",
            )

    async def _await(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        """Return when `is_so`; raises `StackError` where a process has ended, or time is over."""

        async def is_so_or_ended() -> bool:
            return self._find_ended() is not None or await is_so()

        in_time = await wait_until(is_so_or_ended, self._ready_s)
        ended = self._find_ended()
        if ended is not None:
            raise StackError(f"{ended.name} ended while it started: {ended.last_line()}")
        if not in_time:
            slow = list(self.daemons.values())[-1]
            raise StackError(f"{slow.name} is not ready after {self._ready_s:g} s: {slow.last_line()}")

    def _find_ended(self) -> Daemon | None:
        return next((daemon for daemon in self.daemons.values() if not daemon.running), None)
