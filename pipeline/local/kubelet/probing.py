"""Probes one run of a container for as long as it lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from pipeline.local.kubelet.handlers import Target, find_failure
from pipeline.local.kubelet.probes import LIVENESS, READINESS, STARTUP, Verdict
from pipeline.local.kubelet.spec import ContainerSpec, Probe

Kill = Callable[[str, Probe], Awaitable[None]]


class Probing:
    """All probes of one run.

    `on_failure` hears each failed probe (its kind, why), `on_change` each change of a belief, and
    `kill` the kind and the probe that has given the container up.

    Attributes:
        started: the startup probe has passed, or there is none.
    """

    def __init__(
        self,
        spec: ContainerSpec,
        target: Target,
        *,
        on_failure: Callable[[str, str], None],
        on_change: Callable[[], None],
        kill: Kill,
    ) -> None:
        self.started = STARTUP not in spec.probes
        self._probes = spec.probes
        self._target = target
        self._on_failure = on_failure
        self._on_change = on_change
        self._kill = kill
        self._ready = READINESS not in spec.probes

    @property
    def ready(self) -> bool:
        """Whether the run may have traffic."""
        return self.started and self._ready

    async def run(self) -> None:
        """Probe until cancelled: the startup probe alone first, then the other two."""
        if not self.started:
            await self._await_start(self._probes[STARTUP])
        if self.started:
            await asyncio.gather(self._watch_liveness(), self._watch_readiness())

    async def _await_start(self, probe: Probe) -> None:
        async for verdict in self._observe(STARTUP, probe):
            if verdict.holds:
                self.started = True
                self._on_change()
                return
            if verdict.has_failed:
                await self._kill(STARTUP, probe)
                return

    async def _watch_liveness(self) -> None:
        probe = self._probes.get(LIVENESS)
        if probe is None:
            return
        async for verdict in self._observe(LIVENESS, probe):
            if verdict.has_failed:
                await self._kill(LIVENESS, probe)
                return

    async def _watch_readiness(self) -> None:
        probe = self._probes.get(READINESS)
        if probe is None:
            return
        async for verdict in self._observe(READINESS, probe):
            if self._ready is not verdict.holds:
                self._ready = verdict.holds
                self._on_change()

    async def _observe(self, kind: str, probe: Probe) -> AsyncIterator[Verdict]:
        """What is believed after each result."""
        verdict = Verdict(kind, probe.success_threshold, probe.failure_threshold)
        await asyncio.sleep(probe.initial_delay_s)
        while True:
            failure = await find_failure(probe.handler, self._target, probe.timeout_s)
            verdict.note(succeeded=failure is None)
            if failure is not None:
                self._on_failure(kind, failure)
            yield verdict
            await asyncio.sleep(probe.period_s)
