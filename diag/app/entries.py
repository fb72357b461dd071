"""The log entries of one run: read by queries until the session's links lead to nothing new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from diag import normalise
from diag.app.request import SessionRequest
from diag.errors import UsageError
from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.identifiers import Identifier
from diag.model.queries import LogQuery, LogSource
from diag.model.records import KafkaRecord
from diag.model.window import MINUTE_NS, Window
from diag.session.links import MAPPING_RULES, close_over
from diag.session.reconstruct import ANCHOR_EVENTS
from diag.session.select import EventFinder
from diag.session.window import plan_window, widen_window

_ROUNDS = 6
_SURROUNDINGS_PAGES = 10
_LONGEST_NAMED = 120


class Entries:
    """One source's entries, as a frame that grows by queries."""

    def __init__(self, source: LogSource, catalogue: Catalogue) -> None:
        self.source = source
        self.catalogue = catalogue
        self.frame = frames.no_entries()
        self._parts: list[pl.DataFrame] = []
        self._queried: dict[Window, frozenset[str]] = {}
        self._problems: list[str] = []
        self._count = 0

    async def read(self, query: LogQuery) -> None:
        """Add the entries of one query."""
        records = [record async for batch in self.source.read(query) for record in batch]
        self._parts.append(normalise.to_frame(records, self.catalogue, self._count))
        self._count += len(records)
        self._queried[query.window] = self.queried(query.window).union(query.ids)
        self.frame = normalise.join_frames(self._parts)

    def queried(self, window: Window) -> frozenset[str]:
        """The IDs that were asked for in just this window."""
        return self._queried.get(window, frozenset())

    def tell(self, problem: str) -> None:
        """Something that makes the answer partial, whatever the source says of itself."""
        self._problems.append(problem)

    def coverage(self) -> SourceCoverage:
        """The source's own account, and what we left unread."""
        source = self.source.coverage()
        if not self._problems:
            return source
        state = State.PARTIAL if source.state is State.COMPLETE else source.state
        return replace(source, state=state, notes=(*source.notes, *dict.fromkeys(self._problems)))

    def finder(self) -> EventFinder:
        """Questions about what was read so far."""
        return EventFinder(self.frame, self.catalogue)

    def members_of(
        self, asked: Identifier, records: Iterable[KafkaRecord] = ()
    ) -> tuple[frozenset[str], Window | None]:
        """The session's IDs as far as they are known, and the time that its entries span."""
        finder = self.finder()
        members = close_over(asked.text, finder, records).members
        times = [event.time_ns for event in finder.mentioning(members) if event.time_ns]
        return members, Window(min(times), max(times) + 1) if times else None

    def mapped_to(self, asked: Identifier, records: Iterable[KafkaRecord] = ()) -> frozenset[str]:
        """IDs that a mapping ties to the session: only their own lines tell whether it holds."""
        candidates = close_over(asked.text, self.finder(), records).candidates
        return frozenset(text for text, (link, _) in candidates.items() if link.rule in MAPPING_RULES)


async def read_files(entries: Entries) -> Window | None:
    """Everything in the files; the window is what their lines span, None where none has a time."""
    await entries.read(LogQuery(Window(0, 0)))
    times = entries.frame[frames.TIME]
    first, last = times.min(), times.max()
    return Window(first, last + 1) if isinstance(first, int) and isinstance(last, int) else None


async def read_live(entries: Entries, asked: Identifier, request: SessionRequest) -> Window:
    """The session's entries; the window is the last one that was searched."""
    window = plan_window(asked, request.now_ns, request.since_ns, request.until_ns)
    if window is None:
        raise UsageError(
            f"{asked.text[:80]!r} has no time in it, so there is no telling where to look",
            hint="add --since (2h, or 2026-11-24T13:00Z), or give log files",
        )
    return await _read_session(entries, asked, window, request)


async def read_linked(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord],
) -> Window:
    """The entries of IDs that only `records` tie to the session; the window as of `read_live`."""
    return await _read_session(entries, asked, window, request, tuple(records))


async def _read_session(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord] = (),
) -> Window:
    """Query until nothing is left to ask; the window is one that was searched, always."""
    for _ in range(_ROUNDS):
        query = _next_query(entries, asked, window, request, records)
        if query is None:
            return window
        await entries.read(query)
        window = query.window
    query = _next_query(entries, asked, window, request, records)
    if query is not None:
        what = f"{', '.join(query.ids)[:_LONGEST_NAMED]} in {query.window.to_text()}"
        entries.tell(f"stopped after {_ROUNDS} rounds of reading; not read: {what}")
    return window


def _next_query(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord],
) -> LogQuery | None:
    """The ID, then what it is linked to, then a wider window where the session touches its edge."""
    members, span = entries.members_of(asked, records)
    needed = members | entries.mapped_to(asked, records)
    wanted = needed - entries.queried(window)
    if not wanted:
        wider = widen_window(window, span, request.now_ns) if request.until_ns is None else None
        if wider is None:
            return None
        window, wanted = wider, needed - entries.queried(wider)
    return LogQuery(window, ids=tuple(sorted(wanted)), what="the session") if wanted else None


async def read_surroundings(
    entries: Entries,
    asked: Identifier,
    window: Window,
    now_ns: int,
    records: Iterable[KafkaRecord] = (),
) -> None:
    """Other sessions' first lines, and lines that name none: what silence and partners are judged by."""
    _, span = entries.members_of(asked, records)
    around = span.around(MINUTE_NS) if span else window
    window = Window(around.start_ns, max(around.start_ns, min(around.end_ns, now_ns)))
    anchors = entries.catalogue.messages_of(*ANCHOR_EVENTS)
    await entries.read(
        LogQuery(
            window, (), anchors, without_ids=True, max_pages=_SURROUNDINGS_PAGES, what="the surroundings"
        )
    )
