"""What all sources gave together, and from when on it can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from diag.model import frames
from diag.model.coverage import Coverage, SourceCoverage, State
from diag.model.instants import NS_PER_S
from diag.model.window import Window

LEAST_LAG_NS = 5 * NS_PER_S
"""Entries take 2.9 to 4.5 s to be readable on GKE; what is younger may still be on its way."""

MOST_LAG_NS = 600 * NS_PER_S
"""What takes longer has a time that is not its own, or was sent again: it tells nothing of the rest."""

KEPT_NS = 30 * 86_400 * NS_PER_S
"""How long a bucket keeps entries where nobody said otherwise."""

_SHOWN_PLACES = 3

NOT_READ = (
    SourceCoverage("kubernetes", State.NOT_ASKED, notes=("a list of sessions needs no Kubernetes objects",)),
    SourceCoverage("repository", State.NOT_ASKED, notes=("no repository was named",)),
)


def find_lag(frame: pl.DataFrame) -> int:
    """The longest that an entry took to be readable, in ns: at least what is usual, if it is plausible."""
    lags = frame[frames.RECEIVED] - frame[frames.TIME]
    longest = lags.filter(lags <= MOST_LAG_NS).max()
    return max(LEAST_LAG_NS, longest if isinstance(longest, int) else 0)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one service.

    Attributes:
        span: from its first line to its last; None where none of its lines has a time.
    """

    service: str
    entries: int
    pods: frozenset[str]
    span: Window | None

    def joined(self, other: Heard) -> Heard:
        """Both together."""
        spans = [span for span in (self.span, other.span) if span is not None]
        span = spans[0].union(spans[-1]) if spans else None
        return Heard(self.service, self.entries + other.entries, self.pods | other.pods, span)


def hear(frame: pl.DataFrame) -> tuple[Heard, ...]:
    """What a frame holds of each service."""
    own_pods = pl.col(frames.POD).filter(pl.col(frames.POD) != "").unique()
    found = (
        frame.filter(pl.col(frames.SERVICE) != "")
        .group_by(frames.SERVICE)
        .agg(
            pl.len().alias("entries"),
            own_pods.alias("pods"),
            pl.col(frames.TIME).min().alias("first"),
            pl.col(frames.TIME).max().alias("last"),
        )
    )
    return tuple(
        Heard(service, entries, frozenset(pods), None if first is None else Window(first, last))
        for service, entries, pods, first, last in found.iter_rows()
    )


def describe_coverage(
    heard: Iterable[Heard],
    sources: Iterable[SourceCoverage],
    window: Window | None,
    settled_ns: int | None,
    sides: Mapping[str, str] | None = None,
) -> Coverage:
    """The coverage of every source, with the services and pods that were heard, and the known `sides`."""
    by_service: dict[str, Heard] = {}
    for one in heard:
        known = by_service.get(one.service)
        by_service[one.service] = one if known is None else known.joined(one)
    rows = [by_service[service] for service in sorted(by_service)]
    given = tuple(sources)
    told = {source.source for source in given}
    return Coverage(
        sources=(
            *(_tell_limits(source, window, settled_ns) for source in given),
            *(source for source in NOT_READ if source.source not in told),
        ),
        window=window,
        settled_ns=settled_ns,
        services=tuple((row.service, row.entries) for row in rows),
        pods=tuple((row.service, tuple(sorted(row.pods))) for row in rows),
        spans=tuple((row.service, row.span) for row in rows if row.span is not None),
        sides=sides or {},
    )


def _tell_limits(source: SourceCoverage, window: Window | None, settled_ns: int | None) -> SourceCoverage:
    """What a live log source can not have of `window`: what is gone, and what has not come yet."""
    if window is None or settled_ns is None or source.source != "cloud-logging":
        return source
    notes = source.notes
    if window.start_ns < settled_ns - KEPT_NS:
        notes = (*notes, "the window begins over 30 days ago: a bucket keeps no more unless it is told to")
    if not source.entries and source.state is State.COMPLETE and window.end_ns > settled_ns:
        notes = (
            *notes,
            "nothing came yet, and what was just logged may be on its way: ask again in a minute",
        )
    return replace(source, notes=notes)


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Lines that no shape fits: how many, and where the first of them stand."""

    count: int = 0
    places: tuple[str, ...] = ()

    def joined(self, other: Unparsed) -> Unparsed:
        """Both together, this one's places first."""
        return Unparsed(self.count + other.count, (*self.places, *other.places)[:_SHOWN_PLACES])


def find_unparsed(frame: pl.DataFrame) -> Unparsed:
    """The lines of a frame that nobody understood."""
    refs = frame.filter(pl.col(frames.UNPARSED))[frames.REF]
    return Unparsed(refs.len(), tuple(refs.head(_SHOWN_PLACES)))


def cover_entries(
    source: SourceCoverage, entries: int, unparsed: Unparsed, lag_ns: int = LEAST_LAG_NS
) -> SourceCoverage:
    """A log source's own account: each entry once, lines that nobody understood, and how late some came."""
    notes = source.notes
    if lag_ns > LEAST_LAG_NS:
        notes = (*notes, f"entries came up to {lag_ns / NS_PER_S:.0f} s late; what is younger may be missing")
    if unparsed.count:
        places = ", ".join(unparsed.places) + (", ..." if unparsed.count > len(unparsed.places) else "")
        plural = "s were" if unparsed.count > 1 else " was"
        notes = (*notes, f"{unparsed.count} line{plural} not understood and kept as text: {places}")
    got = f"{entries} {'entry' if entries == 1 else 'entries'}, {source.got}"
    return replace(source, entries=entries, got=got, notes=notes)
