"""The callers of this orchestrator: where each is, what each was told, and until when that matters.

One table is asked for everything that is about a session, so that it ends everywhere at once: when
the caller hangs up, or has been away for too long. Each change is written through to the keeper and
told to the other replicas.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from pipeline.orchestrator.conversations import Conversations
from pipeline.orchestrator.memory import BoundSession, Keeper, Memory, NoKeeper, StoredExchange
from pipeline.orchestrator.sent import SentMessages
from pipeline.orchestrator.whereabouts import Away, Here, There, Whereabouts
from pipeline.wire.records import SessionEvent
from pipeline.wire.tracing import TraceContext

# A caller whose connection broke comes back within a few seconds, if at all.
PATIENCE_S = 10.0

Announce = Callable[[SessionEvent], None]


class Callers:
    """All sessions that this replica knows of.

    Attributes:
        replica: the name of this replica.
        sent: the messages that were sent last.
        conversations: what was said last.
    """

    def __init__(
        self,
        replica: str,
        announce: Announce = lambda _: None,
        keeper: Keeper | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._keeper = keeper or NoKeeper()
        self._announce = announce
        memory = memory or Memory()
        self.replica = replica
        self.sent = SentMessages(self._keeper.keep_sent, memory.sent)
        self.conversations = Conversations(self._keep_exchange, memory.exchanges)
        self._places = Whereabouts()
        self._bound_ms: dict[str, int] = {}
        self._moved = asyncio.Event()
        for session in memory.sessions:
            self._places.note(session.session_id, Away(time.monotonic()), time.monotonic())

    def find(self, session_id: str) -> Here | There | Away | None:
        """Where the caller is now; None for one that was never bound, or is gone for good."""
        return self._places.find(session_id)

    def knows(self, session_id: str) -> bool:
        """Whether the session lives: its caller is somewhere, or is expected back."""
        return self.find(session_id) is not None

    async def locate(self, session_id: str) -> Here | There | None:
        """Where the caller can be reached; one who is away is waited for, at most `PATIENCE_S`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while isinstance(place := self.find(session_id), Away):
                    await self._moved.wait()
        except TimeoutError:
            return None
        return place

    def bind(self, session_id: str, connection_id: str, trace: TraceContext | None) -> None:
        """The caller is at a connection of this replica from now on."""
        traceparent = None if trace is None else trace.to_header()
        self._keeper.keep_session(BoundSession(session_id, connection_id, traceparent))
        at_ms = self._bound_ms[session_id] = _now_ms()
        self._note(session_id, Here(connection_id))
        self._announce(
            SessionEvent("bound", session_id, self.replica, connection_id, at_ms=at_ms, trace=trace)
        )

    def release(self, session_id: str, connection_id: str, *, for_good: bool) -> None:
        """The connection is closed; not `for_good` means that the caller is expected to be back."""
        place = Here(connection_id)
        if for_good and self._places.end(session_id, place):
            self._forget(session_id)
            self._tell("ended", session_id, connection_id)
        elif not for_good and self._places.lose(session_id, place, time.monotonic()):
            self._tell("lost", session_id, connection_id)
        self._wake()

    def hear(self, event: SessionEvent, told_ms: int) -> str | None:
        """What another replica told at `told_ms`, of the wall's clock; what it tells again is nothing new.

        Returns the connection of this replica that has lost its session by it.
        """
        place, there = self.find(event.session_id), There(event.replica)
        if event.kind == "bound":
            at_ms = _read_bound_ms(event, told_ms)
            if at_ms < self._bound_ms.get(event.session_id, 0):
                return None  # read late, or told again: the caller has moved on since
            self._bound_ms[event.session_id] = at_ms
            self._note(event.session_id, there)
            return place.connection_id if isinstance(place, Here) else None
        if event.kind == "lost":
            self.miss(event.session_id, there)
        elif event.kind == "ended" and self._places.end(event.session_id, there):
            self._forget(event.session_id)
            self._wake()
        return None

    def list_here(self) -> list[SessionEvent]:
        """What is to be told of the callers who are here now: that they are, and what was said to them.

        A replica that starts reads no further back, and may lead the next turn of one who is long silent.
        """
        here = [
            (session_id, place, at_ms)
            for session_id, at_ms in self._bound_ms.items()
            if isinstance(place := self.find(session_id), Here)
        ]
        bound = [
            SessionEvent("bound", session_id, self.replica, place.connection_id, at_ms=at_ms)
            for session_id, place, at_ms in here
        ]
        return bound + [self._tell_conversation(one) for one, _, _ in here if one in self.conversations]

    def miss(self, session_id: str, place: Here | There) -> None:
        """The caller could not be reached at `place`."""
        self._places.lose(session_id, place, time.monotonic())
        self._wake()

    def expire(self) -> None:
        """Forget the callers who do not come back; to be called now and then."""
        gone = self._places.expire(time.monotonic())
        for session_id in {*gone, *self.sent, *self.conversations}:
            if not self.knows(session_id):
                self._forget(session_id)
        # of the others, which may be very many, nothing is kept here
        self._bound_ms = {one: at_ms for one, at_ms in self._bound_ms.items() if self.knows(one)}
        self._wake()

    def _note(self, session_id: str, place: Here | There) -> None:
        self._places.note(session_id, place, time.monotonic())
        self._wake()

    def _wake(self) -> None:
        """Have all who wait look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    def _keep_exchange(self, exchange: StoredExchange) -> None:
        self._keeper.keep_exchange(exchange)
        self._announce(self._tell_conversation(exchange.session_id))

    def _tell_conversation(self, session_id: str) -> SessionEvent:
        told = self.conversations.tell(session_id)
        return SessionEvent("conversation", session_id, self.replica, text=told)

    def _forget(self, session_id: str) -> None:
        self._bound_ms.pop(session_id, None)
        self.sent.forget(session_id)
        self.conversations.forget(session_id)
        self._keeper.forget(session_id)

    def _tell(self, kind: str, session_id: str, connection_id: str) -> None:
        self._announce(SessionEvent(kind, session_id, self.replica, connection_id))

    def __len__(self) -> int:
        return len(self._places)


def _read_bound_ms(event: SessionEvent, told_ms: int) -> int:
    """When the session was bound: before that was told, and before now. A time ahead would win for ever."""
    return min(event.at_ms or told_ms, told_ms, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
