"""What the caller does, as the media server tells it: speaks, speaks over a reply, is gone.

A session's end stops none of its turns: each goes its whole way, and what of it is delivered is decided
at the moment of its delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pipeline.orchestrator import protocol
from pipeline.orchestrator.desk import TurnDesk
from pipeline.orchestrator.failures import of_speech
from pipeline.orchestrator.turn import Turn
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import AudioChunk, SessionEnd

_MOST_TELLING = 1_000

Notify = Callable[[str, str], Coroutine[Any, Any, None]]


class CallerSide:
    """Hands the caller's doings to the desk, and tells the session's page of them."""

    def __init__(self, desk: TurnDesk, notify: Notify, metrics: SessionMetrics, log: Log) -> None:
        self._desk = desk
        self._notify = notify
        self._metrics = metrics
        self._log = log
        self._telling: set[asyncio.Task[None]] = set()

    def begin(self, turn: Turn) -> bool:
        """As `CallerEvents.begin`."""
        return self._desk.submit(turn)

    def lose(self, session_id: str, turn_id: str, reason: str) -> None:
        """As `CallerEvents.lose`."""
        failure = of_speech(reason)
        self._metrics.failed.labels(failure.stage).inc()
        self._tell(session_id, protocol.turn_failed(session_id, turn_id, failure))

    def interrupt(self, chunk: AudioChunk) -> None:
        """As `CallerEvents.interrupt`."""
        log = self._log.bind(chunk.trace, session_id=chunk.session_id)
        for turn_id in chunk.interrupts:
            cancelled = self._desk.interrupt(chunk.session_id, turn_id)
            log.write("turn-interrupted", turn_id=turn_id, utterance=chunk.utterance, cancelled=cancelled)
            self._tell(chunk.session_id, protocol.turn_interrupted(chunk.session_id, turn_id))

    def end_session(self, end: SessionEnd) -> None:
        """As `CallerEvents.end_session`."""
        log = self._log.bind(end.trace, session_id=end.session_id)
        log.write("session-ended", reason=end.reason)
        self._tell(end.session_id, protocol.session_ended(end.session_id, end.reason))

    async def hand_over(self, partitions: tuple[int, ...]) -> None:
        """As `CallerEvents.hand_over`."""
        await self._desk.hand_over(partitions)

    def _tell(self, session_id: str, message: str) -> None:
        """Send `message` beside the consuming of records: a slow page holds nobody up.

        Where very many are slow, the rest is not told: its line in the log stands all the same.
        """
        if len(self._telling) >= _MOST_TELLING:
            return
        task = asyncio.create_task(self._notify(session_id, message))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
