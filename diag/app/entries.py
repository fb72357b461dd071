"""The log entries of one run: read by queries until the session's links lead to nothing new."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from diag import normalise
from diag.app.request import Bounds, SessionRequest
from diag.errors import UsageError
from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.identifiers import Identifier
from diag.model.instants import format_instant
from diag.model.queries import LogQuery, LogSource
from diag.model.records import LogRecord
from diag.model.window import MINUTE_NS, Window
from diag.session.links import close_over
from diag.session.reconstruct import ANCHOR_EVENTS
from diag.session.select import EventFinder
from diag.session.window import clip_window, plan_window, widen_window

_ROUNDS = 6
_SURROUNDINGS_PAGES = 10

INTERRUPTED = "interrupted (Ctrl-C)"
"""What coverage says of a source whose reading was cancelled."""


class Entries:
    """One source's entries, as a frame that grows by queries until it is interrupted."""

    def __init__(self, source: LogSource, catalogue: Catalogue) -> None:
        self.source = source
        self.catalogue = catalogue
        self.frame = frames.no_entries()
        self.interrupted = False
        self._notes: list[str] = []
        self._parts: list[pl.DataFrame] = []
        self._count = 0

    async def read(self, query: LogQuery) -> None:
        """Add the entries of one query; a cancellation ends the reading and keeps what came.

        Where nothing came so far there is nothing to keep, and the cancellation goes its way.
        """
        if self.interrupted:
            return
        records: list[LogRecord] = []
        try:
            async for batch in self.source.read(query):
                records += batch
        except asyncio.CancelledError:
            if not records and not self._count:
                raise
            self.interrupted = True
        self._parts.append(normalise.to_frame(records, self.catalogue, self._count))
        self._count += len(records)
        self.frame = normalise.join_frames(self._parts)

    def narrow(self, bounds: Bounds) -> None:
        """Leave out what lies outside of `bounds`; what has no time stays."""
        since, until = bounds
        time = pl.col(frames.TIME)
        outside = pl.any_horizontal(
            pl.lit(value=False) if since is None else time < since,
            pl.lit(value=False) if until is None else time >= until,
        )
        kept = self.frame.filter(~outside.fill_null(value=False))
        timeless = kept[frames.TIME].null_count()
        self._notes.append(
            f"{self.frame.height - kept.height} of {self.frame.height} entries lie outside of "
            f"{_describe(bounds)} and were left out"
            + (f"; {timeless} without a time were kept" if timeless else "")
        )
        self.frame = kept

    def compare_mint(self, asked: Identifier, bounds: Bounds) -> None:
        """Say so where the time inside the ID contradicts `bounds`."""
        since, until, minted = *bounds, asked.minted_ns
        if minted is None or (since is None and until is None):
            return
        if (since is not None and minted < since) or (until is not None and minted >= until):
            self._notes.append(
                f"the ID was minted at {format_instant(minted, 0)}, outside of {_describe(bounds)}"
            )

    def coverage(self) -> SourceCoverage:
        """The source's own account, and what became of it here."""
        source = self.source.coverage()
        notes = (*source.notes, *self._notes, *self._count_bare())
        if not self.interrupted:
            return replace(source, notes=notes)
        return replace(source, state=State.PARTIAL, notes=(INTERRUPTED, *notes))

    def _count_bare(self) -> Iterator[str]:
        """Lines of text that tell nothing but their words: what stands there was not understood."""
        bare = (pl.col(frames.SERVICE) == "") & pl.col(frames.TIME).is_null() & ~pl.col(frames.UNPARSED)
        count = self.frame.filter(bare).height
        if count:
            yield f"{count} of {self.frame.height} lines name neither a time nor a service"

    def finder(self) -> EventFinder:
        """Questions about what was read so far."""
        return EventFinder(self.frame, self.catalogue)

    def members_of(self, asked: Identifier) -> tuple[frozenset[str], Window | None]:
        """The session's IDs as far as they are known, and the time that its entries span."""
        finder = self.finder()
        members = close_over(asked.text, finder.mentioning).members
        times = [event.time_ns for event in finder.mentioning(members) if event.time_ns]
        return members, Window(min(times), max(times) + 1) if times else None


def _describe(bounds: Bounds) -> str:
    """As the user gave them, understood: ``--since 2026-... --until 2026-...``."""
    named = zip(("--since", "--until"), bounds, strict=True)
    return " ".join(f"{option} {format_instant(at, 0)}" for option, at in named if at is not None)


async def read_files(entries: Entries, request: SessionRequest) -> Window | None:
    """The files' entries within --since and --until; the window is what of these the files' lines span.

    None where no line has a time.
    """
    await entries.read(LogQuery(Window(0, 0)))
    times = entries.frame[frames.TIME]
    first, last = times.min(), times.max()
    if request.bounds != (None, None):
        entries.narrow(request.bounds)
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    return clip_window(Window(first, last + 1), *request.bounds)


async def read_live(entries: Entries, asked: Identifier, request: SessionRequest) -> Window:
    """The session's entries and its surroundings; the window is the one searched at last."""
    window = plan_window(asked, request.now_ns, *request.bounds)
    if window is None:
        raise UsageError(
            f"{asked.text[:80]!r} has no time in it, so there is no telling where to look",
            hint="add --since (2h, or 2026-11-24T13:00Z), or give log files",
        )
    window = await _read_session(entries, asked, window, request)
    _, span = entries.members_of(asked)
    around = clip_window(span.around(MINUTE_NS), *request.bounds) if span else window
    await _read_surroundings(entries, around, request.now_ns)
    return window


async def _read_session(
    entries: Entries, asked: Identifier, window: Window, request: SessionRequest
) -> Window:
    """The ID, then what it is linked to, then a wider window where the session touches its edge."""
    wanted, queried = frozenset({asked.text}), frozenset[str]()
    for _ in range(_ROUNDS):
        await entries.read(LogQuery(window, ids=tuple(sorted(wanted)), what="the session"))
        if entries.interrupted:
            break
        queried |= wanted
        members, span = entries.members_of(asked)
        wanted = members - queried
        if wanted:
            continue
        wider = widen_window(window, span, request.now_ns, *request.bounds)
        if wider is None:
            break
        window, wanted, queried = wider, members, frozenset()
    return window


async def _read_surroundings(entries: Entries, around: Window, now_ns: int) -> None:
    """Other sessions' first lines, and lines that name none: what silence and partners are judged by."""
    window = Window(around.start_ns, max(around.start_ns, min(around.end_ns, now_ns)))
    anchors = entries.catalogue.messages_of(*ANCHOR_EVENTS)
    await entries.read(
        LogQuery(
            window, (), anchors, without_ids=True, max_pages=_SURROUNDINGS_PAGES, what="the surroundings"
        )
    )
