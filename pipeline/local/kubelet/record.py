"""What is seen of one container, and what is told of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from pipeline.local.kubelet.events import NORMAL, Events
from pipeline.local.kubelet.observations import ContainerSeen, Terminated, Waiting
from pipeline.local.kubelet.recovery import recover
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec


class ContainerRecord:
    """One container of a pod; `on_change` is called whenever `seen` has changed.

    Attributes:
        seen: what there is to report.
        stopping: set once no other run is to begin.
    """

    def __init__(
        self, pod: PodSpec, spec: ContainerSpec, events: Events, on_change: Callable[[], None]
    ) -> None:
        self.pod = pod
        self.spec = spec
        self.seen = recover(pod.manifest.get("status", {}), spec.name, time.time())
        self.stopping = asyncio.Event()
        self._events = events
        self._on_change = on_change

    def see(self, seen: ContainerSeen) -> None:
        """Take over what was seen."""
        if seen != self.seen:
            self.seen = seen
            self._on_change()

    def wait_for(self, reason: str, message: str) -> None:
        """The container waits; what has ended before is its last state."""
        state = self.seen.state
        last = state if isinstance(state, Terminated) else self.seen.last
        self.see(replace(self.seen, state=Waiting(reason, message), last=last, started=False, ready=False))

    def tell(self, reason: str, message: str, type_: str = NORMAL) -> None:
        """Write an event about the container."""
        self._events.tell(self.pod, reason, message, container=self.spec.name, type_=type_)

    async def pause(self, seconds: float) -> bool:
        """Wait; whether the container is being stopped."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
        return self.stopping.is_set()
