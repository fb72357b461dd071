"""Live tailing: entries as they arrive, to every session that wants them.

Each waits out the session's buffer window, so that a late one can still take its place in the order.
A session that gets more than its rate, or does not read what it gets, loses entries and is told how many.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.logging_v2.types import TailLogEntriesResponse

from pipeline.local.cloud_logging.encoding import encode_page
from pipeline.local.cloud_logging.errors import RequestError, invalid
from pipeline.local.cloud_logging.store import StoredEntry

DEFAULT_BUFFER_NS = 2_000_000_000
LONGEST_BUFFER_NS = 60_000_000_000
MOST_WAITING = 20_000
"""Entries that wait for a client who does not read; of more the oldest are lost."""

_MINUTE_NS = 60 * 10**9
_Reason = TailLogEntriesResponse.SuppressionInfo.Reason


@dataclass(frozen=True, slots=True)
class Wish:
    """What a session asked for."""

    projects: frozenset[str]
    matches: Callable[[Mapping[str, Any]], bool]
    buffer_ns: int


def read_buffer(request: Any) -> int:
    """The buffer window of a ``TailLogEntriesRequest`` in nanoseconds; raises `RequestError`."""
    if not request.HasField("buffer_window"):
        return DEFAULT_BUFFER_NS
    buffer_ns: int = request.buffer_window.ToNanoseconds()
    if not 0 <= buffer_ns <= LONGEST_BUFFER_NS:
        raise invalid("buffer_window must be between 0 and 60000 milliseconds")
    return buffer_ns


@dataclass(slots=True)
class _Lost:
    """How many entries a session lost since it was told last."""

    rate_limit: int = 0
    not_consumed: int = 0

    def encode(self) -> bytes:
        """The ``suppression_info`` of a response; empty where nothing was lost."""
        rows = ((_Reason.RATE_LIMIT, self.rate_limit), (_Reason.NOT_CONSUMED, self.not_consumed))
        told = [{"reason": reason, "suppressed_count": count} for reason, count in rows if count]
        return bytes(TailLogEntriesResponse.pb()(suppression_info=told).SerializeToString())


class Session:
    """One tailing session: what waits for it. Any thread may call it."""

    def __init__(self, wish: Wish, now_ns: Callable[[], int]) -> None:
        self._wish = wish
        self._now_ns = now_ns
        self._waiting: list[tuple[int, StoredEntry]] = []  # from when it can be read
        self._lost = _Lost()
        self._changed = threading.Condition()
        self._closed = False

    def offer(self, entries: Iterable[StoredEntry], delay_ns: int) -> None:
        """Entries that have just arrived, and can be read after `delay_ns`."""
        readable_ns = self._now_ns() + delay_ns
        wanted = [(readable_ns, entry) for entry in entries if self._wants(entry)]
        with self._changed:
            self._waiting += wanted
            excess = len(self._waiting) - MOST_WAITING
            if excess > 0:
                del self._waiting[:excess]
                self._lost.not_consumed += excess
            self._changed.notify()

    def _wants(self, entry: StoredEntry) -> bool:
        return entry.project in self._wish.projects and self._wish.matches(entry.document)

    def close(self) -> None:
        """End the session: whoever waits for its entries is told."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def responses(self, per_minute: Callable[[], int]) -> Iterator[bytes]:
        """``TailLogEntriesResponse`` after response, until the session is closed."""
        sent: deque[tuple[int, int]] = deque()  # when, and how many
        while (due := self._take()) is not None:
            now_ns = self._now_ns()
            while sent and sent[0][0] <= now_ns - _MINUTE_NS:
                sent.popleft()
            room = max(0, per_minute() - sum(count for _, count in sent))
            entries, lost = self._limit(due, room)
            sent.append((now_ns, len(entries)))
            yield encode_page([entry.encoded for entry in entries], "") + lost

    def _take(self) -> list[StoredEntry] | None:
        """What is due, after waiting for it; None once the session is closed."""
        with self._changed:
            while not self._closed:
                now_ns = self._now_ns()
                due = self._take_due(now_ns)
                if due:
                    return due
                first_ns = min((readable_ns for readable_ns, _ in self._waiting), default=None)
                wait_ns = None if first_ns is None else first_ns + self._wish.buffer_ns - now_ns
                self._changed.wait(None if wait_ns is None else max(0.001, wait_ns / 1e9))
        return None

    def _take_due(self, now_ns: int) -> list[StoredEntry]:
        """Those that waited out the buffer window, and with them the late ones that belong before them."""
        waited_ns = now_ns - self._wish.buffer_ns
        last = max((entry.position for at_ns, entry in self._waiting if at_ns <= waited_ns), default=None)
        if last is None:
            return []
        is_due = [at_ns <= now_ns and entry.position <= last for at_ns, entry in self._waiting]
        due = [entry for (_, entry), now in zip(self._waiting, is_due, strict=True) if now]
        self._waiting = [one for one, now in zip(self._waiting, is_due, strict=True) if not now]
        return due

    def _limit(self, due: list[StoredEntry], room: int) -> tuple[list[StoredEntry], bytes]:
        """The newest that there is room for, in order; and what was lost."""
        ordered = sorted(due, key=lambda entry: entry.position)
        excess = max(0, len(ordered) - room)
        with self._changed:
            self._lost.rate_limit += excess
            told, self._lost = self._lost.encode(), _Lost()
        return ordered[excess:], told


@dataclass(slots=True)
class Sessions:
    """All tailing sessions of a server. Any thread may call it."""

    now_ns: Callable[[], int] = time.time_ns
    _open: list[Session] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, wish: Wish, most: int) -> Session:
        """A new session; raises `RequestError` where there are `most` already."""
        with self._lock:
            if len(self._open) >= most:
                text = f"Too many live tailing sessions: {most} are open already."
                raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
            session = Session(wish, self.now_ns)
            self._open.append(session)
            return session

    def end(self, session: Session) -> None:
        """Close a session; harmless where it is closed."""
        session.close()
        with self._lock:
            if session in self._open:
                self._open.remove(session)

    def publish(self, entries: list[StoredEntry], delay_ns: int) -> None:
        """Entries that have just arrived, to whoever wants them."""
        with self._lock:
            sessions = tuple(self._open)
        for session in sessions:
            session.offer(entries, delay_ns)
