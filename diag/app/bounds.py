"""``--since`` and ``--until`` on what was read already: what lies outside of them is left out."""

from __future__ import annotations

import polars as pl

from diag.app.request import Bounds
from diag.model import frames
from diag.model.instants import format_instant


def divide(entries: pl.DataFrame, bounds: Bounds) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The entries inside of `bounds`, and those outside; one that has no time is inside."""
    since, until = bounds
    if since is None and until is None:
        return entries, entries.clear()
    time = pl.col(frames.TIME)
    before = pl.lit(value=False) if since is None else time < since
    after = pl.lit(value=False) if until is None else time >= until
    outside = (before | after).fill_null(value=False)
    return entries.filter(~outside), entries.filter(outside)


def describe_bounds(bounds: Bounds) -> str:
    """As the user gave them, understood: ``--since 2026-... --until 2026-...``."""
    named = zip(("--since", "--until"), bounds, strict=True)
    return " ".join(f"{option} {format_instant(at, 0)}" for option, at in named if at is not None)
