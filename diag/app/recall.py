"""What earlier runs read of a query's window, so that only the rest is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from diag.app.coverage import find_lag
from diag.app.request import Request
from diag.model import frames
from diag.model.queries import LastingSource, LogQuery, LogSource
from diag.model.window import MINUTE_NS, Window
from diag.sources.cache import EntryCache, Piece, find_cache_folder, find_version

MARGIN_NS = 30 * MINUTE_NS
"""Beyond the lag that was seen: a node that lost its network sends its lines when it has it again."""

_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a query's window: what is asked for it, or the piece that holds the answer."""

    query: LogQuery
    piece: Piece | None = None


class Recall:
    """The cache as one run uses it; without one every query is asked as it is."""

    def __init__(self, source: LogSource, now_ns: int, cache: EntryCache | None = None) -> None:
        self._source = source if isinstance(source, LastingSource) else None
        self._now_ns = now_ns
        self._cache = cache

    @property
    def problem(self) -> str:
        """Why the cache could not be used; empty where it could, or where there is none."""
        return "" if self._cache is None else self._cache.problem

    def divide(self, query: LogQuery) -> tuple[Stretch, ...]:
        """The query's window in parts, the earliest first; at most one of them must be asked for."""
        if self._cache is None or self._source is None:
            return (Stretch(query),)
        pieces = self._cache.find(self._source.identify(query))
        self._tell_problem()
        parts = [
            Stretch(replace(query, window=window), piece) for window, piece in _cover(query.window, pieces)
        ]
        return _join_gaps(parts) or (Stretch(query),)

    def load(self, stretch: Stretch) -> pl.DataFrame | None:
        """What is kept of a stretch, numbered as it was read; None where it must be asked for."""
        if self._cache is None or self._source is None or stretch.piece is None:
            return None
        kept = self._cache.load(stretch.piece)
        self._tell_problem()
        if kept is None:
            return None
        window = stretch.query.window
        time_ns = pl.col(frames.TIME)
        kept = kept.filter((time_ns >= window.start_ns) & (time_ns < window.end_ns))
        kept = kept.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(frames.ORDER))
        self._source.credit(window, kept.height)
        return kept

    def keep(self, query: LogQuery, parts: Iterable[pl.DataFrame]) -> None:
        """Keep what was read for `query` if it is all, and old enough to change no more.

        Args:
            query: as the source was asked.
            parts: the entries; none of a part is earlier than those of the part before.
        """
        if self._cache is None or self._source is None or not self._source.gave_all(query):
            return
        question, start_ns = self._source.identify(query), query.window.start_ns
        for part, next_ns in _split(parts, query.window.end_ns):
            first_ns, end_ns = part[frames.TIME].min(), min(next_ns, self._settled_ns(part))
            if start_ns >= end_ns or (isinstance(first_ns, int) and first_ns < start_ns):
                break
            self._cache.keep(question, Window(start_ns, end_ns), part)
            start_ns = end_ns
        self._tell_problem()

    def _settled_ns(self, entries: pl.DataFrame) -> int:
        """What is older will not become more any more."""
        return self._now_ns - find_lag(entries) - MARGIN_NS

    def _tell_problem(self) -> None:
        if self._source is not None and self.problem:
            self._source.note(self.problem)


def open_recall(request: Request, source: LogSource) -> Recall:
    """With the cache of the settings, for a live source."""
    most_mb, folder = request.settings.cache.max_mb, find_cache_folder(os.environ)
    if request.files or not most_mb or folder is None:
        return Recall(source, request.now_ns)
    version = find_version(request.settings.catalogue.files)
    return Recall(source, request.now_ns, EntryCache(folder, most_mb * _MB, version))


def _cover(window: Window, pieces: Sequence[Piece]) -> Iterator[tuple[Window, Piece | None]]:
    """The window in parts, each with the piece that holds it, if any does."""
    at_ns = window.start_ns
    while at_ns < window.end_ns:
        holding = [piece for piece in pieces if piece.window.contains(at_ns)]
        if holding:
            piece = max(holding, key=lambda one: one.window.end_ns)
            end_ns = min(piece.window.end_ns, window.end_ns)
            yield Window(at_ns, end_ns), piece
        else:
            later = (piece.window.start_ns for piece in pieces if piece.window.start_ns > at_ns)
            end_ns = min((*later, window.end_ns))
            yield Window(at_ns, end_ns), None
        at_ns = end_ns


def _join_gaps(parts: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """From the first part that must be asked for to the last in one: a cache must never cost a request."""
    gaps = [place for place, part in enumerate(parts) if part.piece is None]
    if not gaps:
        return tuple(parts)
    first, last = gaps[0], gaps[-1]
    window = parts[first].query.window.union(parts[last].query.window)
    gap = Stretch(replace(parts[first].query, window=window))
    return (*parts[:first], gap, *parts[last + 1 :])


def _split(parts: Iterable[pl.DataFrame], end_ns: int) -> Iterator[tuple[pl.DataFrame, int]]:
    """Each part with the time up to which it holds everything; equal times stay together.

    It ends before a part in which a time is not known.
    """
    waiting = frames.no_entries()
    for part in parts:
        if part[frames.TIME].null_count():
            return
        last_ns = waiting[frames.TIME].max()
        if isinstance(last_ns, int):
            at_last = pl.col(frames.TIME) >= last_ns
            yield waiting.filter(~at_last), last_ns
            waiting = waiting.filter(at_last)
        waiting = pl.concat([waiting, part])
    yield waiting, end_ns
