"""Publishes what the stages did to the logging topics, beside the turns: it never holds one up."""

from __future__ import annotations

import asyncio

from pipeline.wire.kafka import OutgoingRecord, Publisher, PublishError
from pipeline.wire.log_lines import Log
from pipeline.wire.records import STAGE_TOPICS, StageLog

MOST_WAITING = 256


class StageLogWriter:
    """Takes stage logs at once, publishes them one by one; `run` is to be a task of the process."""

    def __init__(self, publisher: Publisher, log: Log) -> None:
        self._publisher = publisher
        self._log = log
        self._waiting: asyncio.Queue[StageLog] = asyncio.Queue(MOST_WAITING)

    def put(self, entry: StageLog) -> None:
        """Queue `entry`; never waits, and drops it where too many are waiting."""
        try:
            self._waiting.put_nowait(entry)
        except asyncio.QueueFull:
            self._note(entry, f"more than {MOST_WAITING} entries are waiting for Kafka")

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            entry = await self._waiting.get()
            try:
                await self._publish(entry)
            finally:
                self._waiting.task_done()

    async def flush(self, timeout_s: float) -> None:
        """Wait until all are published, at most `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._waiting.join()
        except TimeoutError:
            pass  # what is left is lost, as it is when Kafka is away

    async def _publish(self, entry: StageLog) -> None:
        topic = STAGE_TOPICS[entry.stage]
        record = OutgoingRecord(topic, entry.session_id, entry.to_value(), entry.to_headers())
        try:
            answer = await self._publisher.send(record)
            await answer.placed()
        except PublishError as error:
            self._note(entry, str(error))
        else:
            self._note(entry)

    def _note(self, entry: StageLog, error: str | None = None) -> None:
        log = self._log.bind(entry.trace, session_id=entry.session_id, turn_id=entry.turn_id)
        message = "stage-published" if error is None else "stage-not-published"
        log.write(message, topic=STAGE_TOPICS[entry.stage], stage=entry.stage, error=error)
