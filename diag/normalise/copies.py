"""Lines that two files hold, or a file and an export: read twice, written once.

A line that one file repeats was written twice, so copies are told by their place among the same lines
of their file. Lines have no insert ID; an entry of the log service, which has one, is the better copy.
"""

from __future__ import annotations

import polars as pl

from diag.model import frames
from diag.model.instants import NS_PER_S

_ORIGIN, _PLACE, _REPEAT, _SECOND = "origin", "place", "repeat", "second"
_SAID = [frames.SERVICE, frames.MESSAGE, frames.FIELDS]


def drop_copies(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined` with each line once, in its order."""
    raw = pl.col(frames.INSERT_ID) == ""
    origin = pl.when(raw).then(pl.col(frames.REF).str.replace(r":\d+$", "")).otherwise(pl.lit(""))
    if not joined.select(raw.any()).item() or joined.select(origin.n_unique()).item() == 1:
        return joined
    placed = joined.with_columns(origin.alias(_ORIGIN), pl.int_range(pl.len()).alias(_PLACE))
    kept = _drop_cut_copies(_drop_exact_copies(placed, raw), raw)
    return kept.sort(_PLACE).select(joined.columns)


def _number(frame: pl.DataFrame, time: str) -> pl.DataFrame:
    """Each line with how many like it came before it in its file."""
    return frame.with_columns(pl.int_range(pl.len()).over([_ORIGIN, time, *_SAID]).alias(_REPEAT))


def _drop_exact_copies(placed: pl.DataFrame, raw: pl.Expr) -> pl.DataFrame:
    numbered = _number(placed, frames.TIME).sort(raw, _PLACE)
    return numbered.unique([frames.TIME, *_SAID, _REPEAT], keep="first", maintain_order=True)


def _drop_cut_copies(placed: pl.DataFrame, raw: pl.Expr) -> pl.DataFrame:
    """Some loggers write whole seconds, and the log service knows the line's time to the nanosecond."""
    second = pl.col(frames.TIME) // NS_PER_S
    numbered = _number(placed.sort(_PLACE).with_columns(second.alias(_SECOND)), _SECOND)
    cut = raw & (pl.col(frames.TIME) % NS_PER_S == 0)
    entries = numbered.filter(~raw).select(_SECOND, *_SAID, _REPEAT)
    copies = numbered.filter(cut).join(entries, on=[_SECOND, *_SAID, _REPEAT], how="semi").select(_PLACE)
    return numbered.join(copies, on=_PLACE, how="anti")
