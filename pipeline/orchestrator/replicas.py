"""What the replicas of the orchestrator tell each other, so that a caller may be at any of them.

audio-in is shared out by key: all speech of one session goes to one replica, and that is rarely the
one whose load balancer gave it the caller's WebSocket. So each replica tells all others, in the topic
session-events, which sessions are bound to its sockets, at once and again every `TELL_EVERY_S`, then with
what was said last in them. Every replica follows that topic at its own position, a new one from `SILENT_S`
ago. The replica that leads a turn knows by it what was said in the turns that others have led, and where the
caller is:

    here     it sends the text by its own socket
    there    it writes a ``reply`` for that replica, which sends it and answers ``taken``
    nowhere  it sends nothing, says so in its log, and counts the message as unmapped

A replica that does not answer within `TAKEN_S` is taken for dead, and the caller for away: when the
socket is back, at whichever replica, that one tells ``bound``, and the reply goes there. The spoken
reply needs none of this: every media server reads all of audio-out and plays what is its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.whereabouts import SILENT_S
from pipeline.wire.background import end_tasks
from pipeline.wire.ending import CLOSE_S
from pipeline.wire.kafka import OutgoingRecord, Publisher, PublishError
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import Log
from pipeline.wire.records import SESSION_EVENTS, RecordError, SessionEvent, read_session_event

TAKEN_S = 3.0
# How long after a failure it is tried again to tell the others
AGAIN_S = 2.0
# Two may be lost before a session counts as gone
TELL_EVERY_S = SILENT_S / 3

_MOST_WAITING = 4_096

LoseSocket = Callable[[str], Coroutine[Any, Any, None]]


class LocalDelivery(Protocol):
    """Delivers what other replicas have for the sockets of this one."""

    async def deliver_here(self, message: SessionEvent) -> bool:
        """Send a reply; False if its caller is not here any more."""
        ...

    async def notify_here(self, notice: SessionEvent) -> None:
        """Pass on something that is no reply, if its caller is still here."""
        ...


class ReplicaLink:
    """This replica's end of session-events; `run` is to be a task of the process."""

    def __init__(self, replica: str, publisher: Publisher, log: Log) -> None:
        self._replica = replica
        self._publisher = publisher
        self._log = log
        self._outgoing: asyncio.Queue[SessionEvent] = asyncio.Queue(_MOST_WAITING)
        self._answers: dict[tuple[str, str], asyncio.Future[bool]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._callers: Callers | None = None
        self._here: LocalDelivery | None = None
        self._lose: LoseSocket | None = None
        self._failing = ""
        self._tell_at = asyncio.get_running_loop().time() + TELL_EVERY_S

    def connect(self, callers: Callers, here: LocalDelivery, lose: LoseSocket) -> None:
        """What is done with what the others tell."""
        self._callers, self._here, self._lose = callers, here, lose

    def announce(self, event: SessionEvent) -> None:
        """Tell the others; never waits.

        What cannot be told now is dropped. Once Kafka is back the others hear who is here then.
        """
        try:
            self._outgoing.put_nowait(event)
        except asyncio.QueueFull:
            self._tell_all_in(AGAIN_S)

    async def forward(self, reply: SessionEvent) -> bool:
        """Have another replica deliver `reply`; whether it says that it did."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        key = (reply.turn_id, reply.message_type)
        self._answers[key] = answer
        try:
            async with asyncio.timeout(TAKEN_S):
                await self._publish(reply)
                return await answer
        except (TimeoutError, PublishError):
            return False
        finally:
            del self._answers[key]

    async def run(self) -> None:
        """Publish what is announced, until cancelled."""
        while True:
            if asyncio.get_running_loop().time() >= self._tell_at:
                await self._tell_all()
            try:
                async with asyncio.timeout_at(self._tell_at):
                    event = await self._outgoing.get()
            except TimeoutError:
                continue
            try:
                if not await self._tell(event):
                    self._tell_all_in(AGAIN_S)
            finally:
                self._outgoing.task_done()

    async def flush(self, timeout_s: float) -> None:
        """Wait until all is told, at most `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._outgoing.join()

    async def stop(self) -> None:
        """End the deliveries that are under way for others."""
        await end_tasks(self._tasks.copy(), CLOSE_S)

    def take(self, record: ConsumedRecord) -> None:
        """One record of session-events; this replica's own tell it nothing new.

        But for conversations: a process that has just begun may read others' that stand before its own.
        """
        try:
            event = read_session_event(record.key, record.value, record.headers)
        except RecordError as error:
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            self._log.write("record-refused", **place, error=str(error))
            return
        if event.kind == "conversation":
            self._hear_conversation(event)
        elif event.replica != self._replica:
            self._hear(event, record.timestamp_ms)

    def failed(self, error: str) -> None:
        """Following has failed; it is tried again."""
        self._note_failure(error)

    def _hear(self, event: SessionEvent, told_ms: int) -> None:
        if event.kind in ("reply", "notice"):
            is_fresh = time.time_ns() // 1_000_000 - told_ms < TAKEN_S * 1_000
            if event.to == self._replica and is_fresh and self._here is not None:
                here, is_notice = self._here, event.kind == "notice"
                self._start(here.notify_here(event) if is_notice else self._serve(event, here))
        elif event.kind == "taken":
            answer = self._answers.get((event.turn_id, event.message_type))
            if answer is not None and not answer.done():
                answer.set_result(event.delivered)
        elif self._callers is not None:
            displaced = self._callers.hear(event, told_ms)
            if displaced is not None and self._lose is not None:
                self._start(self._lose(displaced))

    async def _serve(self, reply: SessionEvent, here: LocalDelivery) -> None:
        delivered = await here.deliver_here(reply)
        self.announce(
            SessionEvent(
                "taken",
                reply.session_id,
                self._replica,
                turn_id=reply.turn_id,
                message_type=reply.message_type,
                delivered=delivered,
                trace=reply.trace,
            )
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_all(self) -> None:
        """A session whose binding nobody has heard of would get no reply.

        All are on their way at once: the answers that others wait for come after them, and soon.
        """
        self._tell_at = asyncio.get_running_loop().time() + TELL_EVERY_S
        events = self._callers.list_here() if self._callers else []
        if not all(await asyncio.gather(*map(self._tell, events))):
            self._tell_all_in(AGAIN_S)

    def _tell_all_in(self, wait_s: float) -> None:
        """Something was not told. What was to be told sooner is not put off by it."""
        self._tell_at = min(self._tell_at, asyncio.get_running_loop().time() + wait_s)

    def _hear_conversation(self, event: SessionEvent) -> None:
        with suppress(ValueError):  # foreign; the turns of this session go on without
            if self._callers is not None:
                self._callers.conversations.hear(event.session_id, event.text)

    async def _tell(self, event: SessionEvent) -> bool:
        try:
            await self._publish(event)
        except PublishError as error:
            self._note_failure(str(error))
            return False
        self._failing = ""
        return True

    async def _publish(self, event: SessionEvent) -> None:
        record = OutgoingRecord(SESSION_EVENTS, event.session_id, event.to_value(), event.to_headers())
        await (await self._publisher.send(record)).placed()

    def _note_failure(self, error: str) -> None:
        """Once for each trouble: a topic that is missing is tried every second."""
        if error != self._failing:
            self._failing = error
            self._log.write("replicas-unreachable", topic=SESSION_EVENTS, error=error)
