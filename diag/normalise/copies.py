"""Lines that two files hold, or a file and an export: read twice, written once. And entries sent twice.

A line that one file repeats was written twice, so copies are told by their place among the same lines
of their file. Lines have no insert ID; an entry of the log service, which has one, is the better copy.
Two pods that write the same line wrote it twice, where each copy of it names its pod.
"""

from __future__ import annotations

import polars as pl

from diag.model import frames
from diag.model.instants import NS_PER_MS, NS_PER_S

_ORIGIN, _PLACE, _REPEAT, _SECOND, _WHERE, _CUT = "origin", "place", "repeat", "second", "where", "cut"
_SAID = [frames.SERVICE, frames.MESSAGE, frames.FIELDS]

_MOST_ARE_CUT = 0.5
"""Of a logger's lines, those that fall on a whole second: of one that writes more digits next to none do."""
_LATE_NS = 200 * NS_PER_MS
"""How long after its writing a collector may have stamped a line, so maybe in the next second."""


def drop_redeliveries(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined`, which is in order of time, with each entry once that came again under another insert ID.

    A pod writes no line twice in one microsecond. In one millisecond it does, and in one second it may well.
    """
    time, fine = pl.col(frames.TIME), pl.col(frames.TIME) % NS_PER_MS != 0
    beside = (time == time.shift(1)) | (time == time.shift(-1))
    suspect = (beside & fine & (pl.col(frames.INSERT_ID) != "") & (pl.col(frames.POD) != "")).fill_null(
        value=False
    )
    placed = joined.with_columns(pl.int_range(pl.len()).alias(_PLACE), suspect.alias(_CUT))
    suspects = placed.filter(_CUT)
    if suspects.is_empty():
        return joined
    whole = [frames.TIME, frames.LOG_NAME, frames.SITE, frames.POD, frames.LEVEL, *_SAID]
    again = suspects.filter(~pl.struct(whole).is_first_distinct())
    return placed.join(again, on=_PLACE, how="anti", maintain_order="left").select(joined.columns)


def drop_copies(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined` with each line once, in its order."""
    raw = pl.col(frames.INSERT_ID) == ""
    origin = pl.when(raw).then(pl.col(frames.REF).str.replace(r":\d+$", "")).otherwise(pl.lit(""))
    if not joined.select(raw.any()).item() or joined.select(origin.n_unique()).item() == 1:
        return joined
    nameless = (pl.col(frames.POD) == "").any().over(_SAID)
    placed = joined.with_columns(
        origin.alias(_ORIGIN),
        pl.int_range(pl.len()).alias(_PLACE),
        pl.when(nameless).then(pl.lit("")).otherwise(pl.col(frames.POD)).alias(_WHERE),
    )
    kept = _drop_cut_copies(_drop_exact_copies(placed, raw), raw)
    return kept.sort(_PLACE).select(joined.columns)


def _number(frame: pl.DataFrame, time: str) -> pl.DataFrame:
    """Each line with how many like it came before it in its file."""
    return frame.with_columns(pl.int_range(pl.len()).over([_ORIGIN, time, _WHERE, *_SAID]).alias(_REPEAT))


def _drop_exact_copies(placed: pl.DataFrame, raw: pl.Expr) -> pl.DataFrame:
    numbered = _number(placed, frames.TIME).sort(raw, _PLACE)
    return numbered.unique([frames.TIME, _WHERE, *_SAID, _REPEAT], keep="first", maintain_order=True)


def _drop_cut_copies(placed: pl.DataFrame, raw: pl.Expr) -> pl.DataFrame:
    """Some loggers write whole seconds, and who collected the line knows its time to the nanosecond."""
    whole = pl.col(frames.TIME) % NS_PER_S == 0
    cuts = whole.mean().over(_ORIGIN, frames.SERVICE) > _MOST_ARE_CUT
    lines = placed.with_columns((raw & whole & cuts).fill_null(value=False).alias(_CUT)).sort(_PLACE)
    cut, fine = lines.filter(_CUT), lines.filter(~pl.col(_CUT))
    for late_ns in (0, _LATE_NS):
        copies = _find_copies(cut, fine, late_ns)
        cut = cut.join(copies, on=_PLACE, how="anti")
        fine = fine.join(copies, left_on=_PLACE, right_on="of", how="anti")
        lines = lines.join(copies, on=_PLACE, how="anti")
    return lines


def _find_copies(cut: pl.DataFrame, fine: pl.DataFrame, late_ns: int) -> pl.DataFrame:
    """The places of lines of `cut`, and of the lines of other files in `fine` that they are copies of."""
    key = [_SECOND, _WHERE, *_SAID, _REPEAT]
    ours = _number(cut.with_columns((pl.col(frames.TIME) // NS_PER_S).alias(_SECOND)), _SECOND)
    second = ((pl.col(frames.TIME) - late_ns) // NS_PER_S).alias(_SECOND)
    theirs = _number(fine.with_columns(second), _SECOND).select(*key, _ORIGIN, pl.col(_PLACE).alias("of"))
    pairs = ours.join(theirs, on=key, how="inner", suffix="_of")
    return pairs.filter(pl.col(_ORIGIN) != pl.col(f"{_ORIGIN}_of")).select(_PLACE, "of")
