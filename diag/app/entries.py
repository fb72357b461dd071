"""The log entries of one run, as a frame that grows by queries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl

from diag import normalise
from diag.app.bounds import describe_bounds, divide
from diag.app.recall import Recall
from diag.app.request import Bounds
from diag.app.where import NARROWED, is_left_to_us, keep_matching
from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.filters import Filter
from diag.model.identifiers import Identifier
from diag.model.instants import format_instant
from diag.model.queries import LogQuery, LogSource
from diag.model.records import KafkaRecord, LogRecord
from diag.model.window import Window
from diag.session.identity.links import Closure, close_over, is_crowded
from diag.session.select import EventFinder

INTERRUPTED = "interrupted (Ctrl-C)"
"""What coverage says of a source whose reading was cancelled."""


class Entries:
    """One source's entries, as a frame that grows by queries until it is interrupted."""

    def __init__(
        self,
        source: LogSource,
        catalogue: Catalogue,
        recall: Recall | None = None,
        where: Filter | None = None,
    ) -> None:
        """`where` narrows every query; what does not understand it is narrowed here."""
        self.source = source
        self._where = where
        self._recall = recall or Recall(source, 0)
        self.catalogue = catalogue
        self.frame = frames.no_entries()
        self._finder: EventFinder | None = None
        self.interrupted = False
        self._outside = frames.no_entries()
        self._notes: list[str] = []
        self._problems: list[str] = []
        self._parts: list[pl.DataFrame] = []
        self._queried: dict[Window, frozenset[str]] = {}
        self._count = 0

    async def read(self, query: LogQuery) -> None:
        """Add the entries of one query; a cancellation ends the reading and keeps what came.

        Where nothing came so far there is nothing to keep, and the cancellation goes its way.
        """
        if self.interrupted:
            return
        if self._where is not None:
            query = replace(query, where=self._where)
            self.tell(NARROWED)
        for stretch in self._recall.divide(query):
            kept = self._recall.load(stretch)
            if kept is not None:
                self._add(kept.with_columns(pl.col(frames.ORDER) + self._count))
            elif not self.interrupted:
                await self._ask(stretch.query)
        self._queried[query.window] = self.queried(query.window).union(query.ids)
        self._set_frame(normalise.join_frames(self._parts))

    async def _ask(self, query: LogQuery) -> None:
        records: list[LogRecord] = []
        try:
            async for batch in self.source.read(query):
                records += keep_matching(batch, self._where) if is_left_to_us(self.source) else batch
        except asyncio.CancelledError:
            if not records and not self._count:
                raise
            self.interrupted = True
            self.tell(INTERRUPTED)
        part = normalise.to_frame(records, self.catalogue, self._count)
        self._add(part)
        self._recall.keep(query, (part,))

    def _add(self, part: pl.DataFrame) -> None:
        self._parts.append(part)
        self._count += part.height

    def queried(self, window: Window) -> frozenset[str]:
        """The IDs that were asked for in just this window."""
        return self._queried.get(window, frozenset())

    def tell(self, problem: str) -> None:
        """Something that makes the answer partial, whatever the source says of itself."""
        self._problems.append(problem)

    def narrow(self, bounds: Bounds) -> None:
        """Leave out what lies outside of `bounds`; what has no time stays."""
        kept, self._outside = divide(self.frame, bounds)
        timeless = kept[frames.TIME].null_count()
        self._notes.append(
            f"{self._outside.height} of {self.frame.height} entries lie outside of "
            f"{describe_bounds(bounds)} and were left out"
            + (f"; {timeless} without a time were kept" if timeless else "")
        )
        self._set_frame(kept)

    def compare_outside(self, asked: Identifier, bounds: Bounds) -> None:
        """Say so where `bounds` cut the session: what is missing of it was not looked at."""
        if self._outside.is_empty():
            return
        cut = EventFinder(self._outside, self.catalogue).count_mentioning(self.close_over(asked).members)
        if cut:
            self.tell(f"{cut} of the session's own lines lie outside of {describe_bounds(bounds)}")

    def compare_mint(self, asked: Identifier, bounds: Bounds) -> None:
        """Say so where the time inside the ID contradicts `bounds`."""
        since, until, minted = *bounds, asked.minted_ns
        if minted is None or (since is None and until is None):
            return
        if (since is not None and minted < since) or (until is not None and minted >= until):
            self._notes.append(
                f"the ID was minted at {format_instant(minted, 0)}, outside of {describe_bounds(bounds)}"
            )

    def coverage(self) -> SourceCoverage:
        """The source's own account, and what became of it here."""
        source, problems = self.source.coverage(), tuple(dict.fromkeys(self._problems))
        state = State.PARTIAL if problems and source.state is State.COMPLETE else source.state
        return replace(
            source, state=state, notes=(*problems, *source.notes, *self._notes, *self._count_bare())
        )

    def _count_bare(self) -> Iterator[str]:
        """Lines of text that tell nothing but their words: what stands there was not understood."""
        bare = (pl.col(frames.SERVICE) == "") & pl.col(frames.TIME).is_null() & ~pl.col(frames.UNPARSED)
        count = self.frame.filter(bare).height
        if count:
            yield f"{count} of {self.frame.height} lines name neither a time nor a service"

    def finder(self) -> EventFinder:
        """Questions about what was read so far; one for all of them, since it keeps what it has found."""
        if self._finder is None:
            self._finder = EventFinder(self.frame, self.catalogue)
        return self._finder

    def _set_frame(self, frame: pl.DataFrame) -> None:
        self.frame, self._finder = frame, None

    def close_over(self, asked: Identifier, records: Iterable[KafkaRecord] = ()) -> Closure:
        """The session's IDs as far as they are known; what a million lines may share is alone."""
        if is_crowded(asked.text, self.finder()):
            return Closure(asked.text, {}, {}, frozenset())
        return close_over(asked.text, self.finder(), records)

    def span_of(self, members: frozenset[str]) -> Window | None:
        """The time that the entries of a session span."""
        span = self.finder().span_of(members)
        return Window(span[0], span[1] + 1) if span else None

    def members_of(
        self, asked: Identifier, records: Iterable[KafkaRecord] = ()
    ) -> tuple[frozenset[str], Window | None]:
        """The session's IDs as far as they are known, and the time that its entries span."""
        members = self.close_over(asked, records).members
        return members, self.span_of(members)
