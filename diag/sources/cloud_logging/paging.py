"""The pages of one filter, in order of time: one after the other, and after a full one side by side.

What is fetched does not depend on which answer comes first: slices go forward together, a page each, and
where pages run out the earlier slices have them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from diag.errors import SourceError
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.sources.cloud_logging.asking import PAGE_SIZE
from diag.sources.cloud_logging.entries import to_json_form
from diag.sources.cloud_logging.slices import cut_rest

SLUG = "cloud-logging"
_MOST_AHEAD = 16
"""Pages of a slice that may wait for an earlier slice to be read. They wait as they came, a fifth of what
they take as records; with fewer, slices of more pages would be read one after the other."""

Batch = tuple[LogRecord, ...]
Fetch = Callable[[str, str], Awaitable[Any]]
_Key = tuple[int, int, str, str]


@dataclass(slots=True)
class _Slice:
    """A part of the window that is read page by page.

    Attributes:
        text: the filter, with this part's times.
        seen: entries that came before this slice was cut, and stand in it again.
        pages: what was read and not yet given on, as it came.
        reached_ns: everything before it has come.
        is_stuck: the token of the last page leads to that page again, and not to the next one.
    """

    text: str
    window: Window
    seen: frozenset[_Key] = frozenset()
    token: str = ""
    is_read: bool = False
    pages: deque[list[Any]] = field(default_factory=deque)
    reached_ns: int = 0
    is_stuck: bool = False

    def __post_init__(self) -> None:
        self.reached_ns = self.window.start_ns

    def take(self, page: Any) -> None:
        """Keep a page, and where the next one begins.

        An empty page with a token means that the service ran out of time, not of entries.
        """
        entries = [entry for entry in page.entries if not self.seen or _key_of(entry) not in self.seen]
        if entries:
            self.pages.append(entries)
            self.reached_ns = _time_of(entries[-1])
        self.is_stuck = bool(page.entries) and page.next_page_token == self.token
        self.token = page.next_page_token
        self.is_read = not self.token

    def give(self) -> Iterator[Batch]:
        """What waits here, once."""
        while self.pages:
            yield tuple(LogRecord(to_json_form(entry), source=SLUG) for entry in self.pages.popleft())


class Paging:
    """One filter's entries, as far as `most` requests reach.

    Attributes:
        unread: the parts of the window that were not read, those that meet as one; none if all was.
    """

    def __init__(self, fetch: Fetch, write: Callable[[Window], str], window: Window, most: int) -> None:
        """`write` gives the filter for a part of `window`, `fetch` a page by filter and token."""
        self._fetch = fetch
        self._write = write
        self._window = window
        self._left = most
        self.unread: tuple[Window, ...] = ()

    async def batches(self) -> AsyncIterator[Batch]:
        """Batch after batch, oldest first; on an error or a cancellation what had come is given before it."""
        whole = _Slice(self._write(self._window), self._window)
        while not whole.is_read and self._left:
            page = await self._read_page(whole)
            for batch in whole.give():
                yield batch
            slices = () if whole.is_read else self._cut(page)
            if slices:
                async for batch in self._read_slices(slices):
                    yield batch
                return
        self._tell_unread((whole,))

    def _cut(self, page: Any) -> tuple[_Slice, ...]:
        if len(page.entries) < PAGE_SIZE:
            return ()
        last_ns = _time_of(page.entries[-1])
        windows = cut_rest(self._window, _time_of(page.entries[0]), last_ns)
        seen = frozenset(_key_of(entry) for entry in page.entries if _time_of(entry) == last_ns)
        return tuple(_Slice(self._write(window), window, seen) for window in windows)

    async def _read_slices(self, slices: tuple[_Slice, ...]) -> AsyncIterator[Batch]:
        try:
            while turn := _whose_turn(slices)[: self._left]:
                await self._read_side_by_side(turn)
                for batch in _give_in_order(slices):
                    yield batch
        except (SourceError, asyncio.CancelledError):
            for batch in _give_all(slices):
                yield batch
            raise
        for batch in _give_all(slices):
            yield batch
        self._tell_unread(slices)

    async def _read_side_by_side(self, slices: Iterable[_Slice]) -> None:
        """A page of each; a failure of one is raised when the others have theirs."""
        pages = await asyncio.gather(*map(self._read_page, slices), return_exceptions=True)
        for page in pages:
            if isinstance(page, BaseException):
                raise page

    async def _read_page(self, one: _Slice) -> Any:
        if one.is_stuck:
            raise SourceError(
                "Cloud Logging gives the same page again and again",
                hint="something on the way may answer for it: check --logging-endpoint and HTTPS_PROXY",
            )
        self._left -= 1
        page = await self._fetch(one.text, one.token)
        one.take(page)
        return page

    def _tell_unread(self, slices: Iterable[_Slice]) -> None:
        unread: list[Window] = []
        for one in slices:
            if one.is_read:
                continue
            rest = Window(one.reached_ns, one.window.end_ns)
            if unread and unread[-1].end_ns == rest.start_ns:
                rest = unread.pop().union(rest)
            unread.append(rest)
        self.unread = tuple(unread)


def _whose_turn(slices: Iterable[_Slice]) -> list[_Slice]:
    """Those that are not read yet, without those that are far ahead of an earlier one."""
    waiting = [one for one in slices if not one.is_read]
    return [one for one in waiting if one is waiting[0] or len(one.pages) < _MOST_AHEAD]


def _give_in_order(slices: Iterable[_Slice]) -> Iterator[Batch]:
    """What no later page can come before."""
    for one in slices:
        yield from one.give()
        if not one.is_read:
            return


def _give_all(slices: Iterable[_Slice]) -> Iterator[Batch]:
    for one in slices:
        yield from one.give()


def _time_of(entry: Any) -> int:
    return int(entry.timestamp.seconds) * NS_PER_S + int(entry.timestamp.nanos)


def _key_of(entry: Any) -> _Key:
    """What the service holds to be one entry (``LogEntry.insert_id``), of one log."""
    return entry.timestamp.seconds, entry.timestamp.nanos, entry.insert_id, entry.log_name
