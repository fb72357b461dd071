"""What all sources gave together, and from when on it can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from diag.model import frames
from diag.model.coverage import Coverage, SourceCoverage, State
from diag.model.instants import NS_PER_S
from diag.model.window import Window

LEAST_LAG_NS = 5 * NS_PER_S
"""Entries take 2.9 to 4.5 s to be readable on GKE; what is younger may still be on its way."""

_SHOWN_PLACES = 3

NOT_READ = (
    SourceCoverage("kubernetes", State.NOT_ASKED, notes=("this version reads no Kubernetes objects",)),
    SourceCoverage("repository", State.NOT_ASKED, notes=("no repository was named",)),
)


def settled_before(frame: pl.DataFrame, now_ns: int) -> int:
    """Entries older than this have arrived: now less the greatest lag seen, at least `LEAST_LAG_NS`."""
    lag = (frame[frames.RECEIVED] - frame[frames.TIME]).max()
    return now_ns - max(LEAST_LAG_NS, lag if isinstance(lag, int) else 0)


def describe_coverage(
    frame: pl.DataFrame,
    sources: Iterable[SourceCoverage],
    window: Window | None,
    settled_ns: int | None,
    sides: Mapping[str, str] | None = None,
) -> Coverage:
    """The coverage of every source, with the services and pods that were heard, and the known `sides`."""
    own_pods = pl.col(frames.POD).filter(pl.col(frames.POD) != "").unique().sort()
    heard = (
        frame.filter(pl.col(frames.SERVICE) != "")
        .group_by(frames.SERVICE)
        .agg(
            pl.len().alias("entries"),
            own_pods.alias("pods"),
            pl.col(frames.TIME).min().alias("first"),
            pl.col(frames.TIME).max().alias("last"),
        )
        .sort(frames.SERVICE)
    )
    rows = list(heard.iter_rows())
    return Coverage(
        sources=(*sources, *NOT_READ),
        window=window,
        settled_ns=settled_ns,
        services=tuple((service, count) for service, count, *_ in rows),
        pods=tuple((service, tuple(pods)) for service, _, pods, *_ in rows),
        spans=tuple((row[0], Window(row[3], row[4])) for row in rows if row[3] is not None),
        sides=sides or {},
    )


def cover_entries(frame: pl.DataFrame, source: SourceCoverage) -> SourceCoverage:
    """A log source's own account, with each entry counted once and the lines that nobody understood."""
    unparsed = frame.filter(pl.col(frames.UNPARSED))[frames.REF].to_list()
    notes = source.notes
    if unparsed:
        places = ", ".join(unparsed[:_SHOWN_PLACES]) + (", ..." if len(unparsed) > _SHOWN_PLACES else "")
        plural = "s were" if len(unparsed) > 1 else " was"
        notes = (*notes, f"{len(unparsed)} line{plural} not understood and kept as text: {places}")
    return replace(source, entries=frame.height, got=f"{frame.height} entries, {source.got}", notes=notes)
