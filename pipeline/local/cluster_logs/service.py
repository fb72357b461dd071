"""The loop of the exporter: watch events, follow the audit log, send both in order."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any, Protocol

from pipeline.local.cluster_logs.audit import build_audit_entry
from pipeline.local.cluster_logs.audit_file import AuditFile
from pipeline.local.cluster_logs.events import Event, build_event_entry
from pipeline.local.cluster_logs.origin import Origin
from pipeline.local.control_plane.api import Api
from pipeline.local.control_plane.informer import Informer
from pipeline.local.log_agent.sender import NotSentError

_EVENTS = "/api/v1/events"
_POLL_S = 0.2
_RETRY_S = 0.5
_BATCH = 200
_FLUSH_S = 5.0


class Sending(Protocol):
    """Where entries go: `Sender`, or a stand-in of it."""

    def send(self, entries: list[dict[str, Any]]) -> str | None:
        """Write `entries`; see `Sender.send`."""
        ...


class Exporter:
    """Sends what a cluster says of itself."""

    def __init__(self, api: Api, audit: AuditFile, origin: Origin, sender: Sending) -> None:
        self._audit = audit
        self._origin = origin
        self._sender = sender
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._informer = Informer(api, _EVENTS, on_change=self._take_event)

    async def run(self, stop: asyncio.Event) -> None:
        """Export until `stop` is set, then what has happened until then, at most `_FLUSH_S` long."""
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(part) for part in (self._informer.run(), self._follow(), self._send())]
            await stop.wait()
            self._read_audit()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._waiting.join(), _FLUSH_S)
            for part in parts:
                part.cancel()

    def _take_event(self, event: Event) -> None:
        self._waiting.put_nowait(build_event_entry(event, self._origin))

    async def _follow(self) -> None:
        while True:
            self._read_audit()
            await asyncio.sleep(_POLL_S)

    def _read_audit(self) -> None:
        for record in self._audit.read():
            entry = build_audit_entry(record, self._origin)
            if entry is not None:
                self._waiting.put_nowait(entry)

    async def _send(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._send_batch(batch)
            for _ in batch:
                self._waiting.task_done()

    async def _send_batch(self, batch: list[dict[str, Any]]) -> None:
        """Send until the server has taken it, or has refused it for good."""
        while True:
            try:
                refused = await asyncio.to_thread(self._sender.send, batch)
            except NotSentError:
                await asyncio.sleep(_RETRY_S)
                continue
            if refused:
                sys.stderr.write(f"entries refused: {refused}\n")
            return
