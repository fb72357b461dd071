"""The entries, sorted by timestamp and insert ID, and the search for one page of them. Pure.

Readers never wait: a write builds a new list and puts it in the old one's place, and a search goes
through the list that it began with.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# How often a search asks whether it may go on. One entry takes some microseconds.
STEP = 100

Position = tuple[int, str, str]
"""Timestamp in nanoseconds since the epoch, insert ID, project: what is equal in all is one entry."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry.

    Attributes:
        position: its place in the order. Unique in a store.
        received_ns: when it arrived.
        document: its REST form, for filters.
        encoded: its bytes as one ``entries`` field of a list response.
    """

    position: Position
    received_ns: int
    document: Mapping[str, Any]
    encoded: bytes

    @property
    def project(self) -> str:
        """Whose log it stands in."""
        return self.position[2]

    @property
    def log(self) -> str:
        """The name of the log that it stands in."""
        return str(self.document["logName"])


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for.

    Attributes:
        matches: the filter, over `StoredEntry.document`.
        projects: whose entries.
        low_ns: timestamps before it cannot match; None if all can.
        high_ns: timestamps after it cannot match; None if all can.
        received_until_ns: what arrived later cannot be read yet.
        descending: newest first; what has one timestamp comes in reverse order too.
        page_size: how many entries at most.
        page_bytes: the entry that makes them as long as this is the last one.
        after: the position where the page before ended.
    """

    matches: Callable[[Mapping[str, Any]], bool]
    projects: frozenset[str]
    low_ns: int | None
    high_ns: int | None
    received_until_ns: int
    descending: bool
    page_size: int
    page_bytes: int
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Encoded entries in order, and where to go on; None if the search is complete."""

    entries: list[bytes]
    resume: Position | None


def _position(entry: StoredEntry) -> Position:
    return entry.position


class EntryStore:
    """All entries. Any thread may call any method."""

    def __init__(self) -> None:
        self._entries: list[StoredEntry] = []  # never changed once it stands here
        self._positions: set[Position] = set()
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entries: Iterable[StoredEntry]) -> list[StoredEntry]:
        """Keep `entries`, except those whose position is taken already; gives those that are new."""
        with self._writing:
            new = {entry.position: entry for entry in reversed(list(entries))}
            arrived = sorted(
                (entry for position, entry in new.items() if position not in self._positions), key=_position
            )
            if not arrived:
                return []
            # entries come nearly in order: all before the first new one stays as it is
            old = self._entries
            unchanged = bisect_left(old, arrived[0].position, key=_position)
            self._entries = old[:unchanged] + sorted(old[unchanged:] + arrived, key=_position)
            self._positions.update(entry.position for entry in arrived)
            return arrived

    def remove(self, log: str) -> int:
        """Forget every entry of a log; gives how many there were."""
        with self._writing:
            kept = [entry for entry in self._entries if entry.log != log]
            removed = len(self._entries) - len(kept)
            self._entries = kept
            self._positions = {entry.position for entry in kept}
            return removed

    def name_logs(self, projects: frozenset[str], oldest_ns: int | None) -> frozenset[str]:
        """The logs of `projects` that have entries, `oldest_ns` or younger where that is given."""
        start = 0 if oldest_ns is None else bisect_left(self._entries, (oldest_ns, "", ""), key=_position)
        return frozenset(entry.log for entry in self._entries[start:] if entry.project in projects)

    def search(self, query: Query, may_go_on: Callable[[], bool] = lambda: True) -> Page:
        """One page of what matches.

        Where `may_go_on` says no, the page ends early, maybe empty, with a position to go on from.
        """
        entries = self._entries
        span = _find_span(entries, query)
        found: list[bytes] = []
        room = query.page_bytes
        for examined, index in enumerate(span, start=1):
            entry = entries[index]
            if _is_readable(entry, query) and query.matches(entry.document):
                found.append(entry.encoded)
                room -= len(entry.encoded)
            if examined == len(span):
                break
            is_full = len(found) == query.page_size or room <= 0
            if is_full or (examined % STEP == 0 and not may_go_on()):
                return Page(found, entry.position)
        return Page(found, None)


def _is_readable(entry: StoredEntry, query: Query) -> bool:
    return entry.received_ns <= query.received_until_ns and entry.project in query.projects


def _find_span(entries: list[StoredEntry], query: Query) -> range:
    """The indices that can match, in the order in which they are to be searched."""
    first = 0 if query.low_ns is None else bisect_left(entries, (query.low_ns, "", ""), key=_position)
    end = len(entries)
    if query.high_ns is not None:
        end = bisect_left(entries, (query.high_ns + 1, "", ""), key=_position)
    if query.after is not None and query.descending:
        end = min(end, bisect_left(entries, query.after, key=_position))
    elif query.after is not None:
        first = max(first, bisect_right(entries, query.after, key=_position))
    return range(end - 1, first - 1, -1) if query.descending else range(first, end)
