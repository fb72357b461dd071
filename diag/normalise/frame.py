"""Records -> the frame that ``model.frames`` describes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from itertools import islice
from typing import Any

import orjson
import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.normalise.copies import drop_copies, drop_redeliveries
from diag.normalise.draft import Draft
from diag.normalise.header import Clock
from diag.normalise.log_entry import find_received
from diag.normalise.mentions import Mention, MentionFinder
from diag.normalise.neighbours import fill_from_neighbours
from diag.normalise.origins import tell_origins
from diag.normalise.redaction import FieldRedactor
from diag.normalise.services import ServiceNames, hints_of_origin
from diag.normalise.shapes import read_record
from diag.normalise.years import place_clocks

_ROW_SCHEMA: Mapping[str, pl.DataType] = {
    **{name: kind for name, kind in frames.ENTRY_SCHEMA.items() if name != frames.ORDER},
    frames.IDS: pl.UInt32(),  # until the end only a number
    frames.FIELDS: pl.String(),
}
_PLACES = {name: at for at, name in enumerate(_ROW_SCHEMA)}
_TIME, _POD, _INSERT_ID, _LOG, _REF = (
    _PLACES[name] for name in (frames.TIME, frames.POD, frames.INSERT_ID, frames.LOG_NAME, frames.REF)
)
_MOST_BETWEEN = 64
"""Lines of other streams between two of one stack trace."""
_NUMBER = "number"
_MENTION = (frames.ID_ROLE, frames.ID_KEY, frames.ID_TEXT)


def to_frame(records: Iterable[LogRecord], catalogue: Catalogue, first_order: int = 0) -> pl.DataFrame:
    """One row per record, in the order given; `first_order` continues an earlier frame's count."""
    rows = _Rows(_skill_for(catalogue))
    for record in records:
        rows.add(record)
    return frames.check_schema(rows.to_frame(first_order))


def join_frames(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All entries once, in the one order: time, then insert ID, then the order of reading.

    The same entry read twice (two queries, a re-delivery) is one: same log, time and insert ID, as
    Cloud Logging itself counts duplicates. So is one that came again under another insert ID, where its
    time tells, and a line that two files hold, or a file and an export.
    """
    if not parts:
        return frames.no_entries()
    joined = pl.concat(parts).sort(frames.TIME, frames.INSERT_ID, frames.ORDER, nulls_last=True)
    identity = [frames.LOG_NAME, frames.TIME, frames.INSERT_ID]
    duplicate = (pl.col(frames.INSERT_ID) != "") & ~pl.struct(identity).is_first_distinct()
    once = drop_redeliveries(joined.filter(~duplicate))
    return frames.check_schema(tell_origins(drop_copies(once)))


class _Skill:
    """What lines are read with: what a catalogue says, and in bounds what was found out of lines so far."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.names = ServiceNames(catalogue)
        self.mentions = MentionFinder(catalogue)
        self.redact = FieldRedactor(catalogue.content_keys, frozenset(catalogue.id_roles))


def _skill_for(catalogue: Catalogue) -> _Skill:
    """The latest one where it is for this catalogue: who reads a file in parts learns its lines but once."""
    skill = _latest.get()
    if skill is None or skill.catalogue is not catalogue:
        skill = _Skill(catalogue)
        _latest.set(skill)
    return skill


_latest: ContextVar[_Skill | None] = ContextVar("latest", default=None)


class _Rows:
    """The columns of a frame while it grows."""

    def __init__(self, skill: _Skill) -> None:
        self._names, self._mentions, self._redact = skill.names, skill.mentions, skill.redact
        self._rows: list[tuple[Any, ...]] = []
        self._named: dict[tuple[Mention, ...], int] = {}
        self._clocks: dict[int, Clock] = {}

    def add(self, record: LogRecord) -> None:
        """One more row."""
        draft = read_record(record)
        file_pod, file_name = hints_of_origin(record.origin)
        pod = draft.pod or file_pod
        if draft.clock is not None and draft.time_ns is None:
            self._clocks[len(self._rows)] = draft.clock
        if draft.continues:
            draft = self._put_with_head(draft, pod, record.origin)
        row = (  # in the order of `_ROW_SCHEMA`
            draft.time_ns,
            draft.time_ns is not None and not draft.continues,
            find_received(record),
            self._names.of_line(draft, file_name),
            pod,
            draft.site,
            draft.level,
            self._redact.texts[draft.message],
            draft.insert_id,
            draft.log_name,
            record.origin,
            record.source,
            self._named.setdefault(self._mentions.find(draft), len(self._named)),
            _dump(self._redact.redact(draft.payload)),
            draft.unparsed,
        )
        self._rows.append(row)

    def _put_with_head(self, draft: Draft, pod: str, origin: str) -> Draft:
        """With the time of the line of its stream that it belongs to: a runtime stamps each for itself."""
        place = ("", pod, draft.log_name, _file_of(origin))
        for row in islice(reversed(self._rows), _MOST_BETWEEN):
            if (row[_INSERT_ID], row[_POD], row[_LOG], _file_of(row[_REF])) == place:
                return _at_time_of(draft, row[_TIME])
        return draft._replace(continues=False)

    def to_frame(self, first_order: int) -> pl.DataFrame:
        """All rows, the first one as the `first_order`-th that was read."""
        by_name = zip(_ROW_SCHEMA, map(list, zip(*self._rows, strict=True)), strict=True)
        columns = dict(by_name) if self._rows else {}
        written = pl.Series(columns.get(frames.TIME, []), dtype=pl.Int64)
        self._complete(columns)
        frame = pl.DataFrame(columns, schema=_ROW_SCHEMA).with_columns(
            _to_refs(written),
            pl.int_range(first_order, first_order + pl.len(), dtype=pl.Int64).alias(frames.ORDER),
            pl.col(frames.FIELDS).cast(pl.Binary),
        )
        return frame.with_columns(self._lists_of_ids()[frame[frames.IDS]].alias(frames.IDS)).select(
            frames.ENTRY_SCHEMA.names()
        )

    def _complete(self, columns: Mapping[str, list[Any]]) -> None:
        """Give lines that leave their year, their time or their service away what stands beside them."""
        times = columns.get(frames.TIME, [])
        texts = (self._redact.ids[text] for named in self._named for _, _, text in named)
        for at, instant in place_clocks(self._clocks, times, texts).items():
            times[at], columns[frames.TIME_KNOWN][at] = instant, True
        fill_from_neighbours(columns)

    def _lists_of_ids(self) -> pl.Series:
        """What lines name: a list for each number that stands in the rows, since most lines name the same."""
        mentions = [
            (number, role, self._redact.keys[key], self._redact.ids[text])
            for named, number in self._named.items()
            for role, key, text in named
        ]
        schema = {_NUMBER: pl.UInt32(), **dict.fromkeys(_MENTION, pl.String())}
        lists = (
            pl.DataFrame(mentions, schema=schema, orient="row")
            .group_by(_NUMBER)
            .agg(pl.struct(_MENTION).alias(frames.IDS))
        )
        every = pl.DataFrame({_NUMBER: range(len(self._named))}, schema={_NUMBER: pl.UInt32()})
        nothing = pl.lit([], dtype=frames.ENTRY_SCHEMA[frames.IDS])
        joined = every.join(lists, on=_NUMBER, how="left", maintain_order="left")
        return joined.select(pl.col(frames.IDS).fill_null(nothing)).to_series()


def _at_time_of(draft: Draft, head_ns: int | None) -> Draft:
    """What only looks like a line of a trace, and comes later than one does, stays alone."""
    if head_ns is not None and (draft.time_ns is None or abs(draft.time_ns - head_ns) <= NS_PER_S):
        return draft._replace(time_ns=head_ns)
    return draft._replace(continues=False)


def _dump(fields: Mapping[str, Any]) -> str:
    """JSON as text: orjson's bytes hold on to the room that they were written in, at ten times the cost."""
    try:
        return orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # a number of more than 64 bits
        whole = json.loads(json.dumps(fields, default=str), parse_constant=lambda _: None)
        return json.dumps(whole, sort_keys=True)


def _to_refs(written: pl.Series) -> pl.Expr:
    """``pod@time#insertId`` by the time that was `written`, where there is an insert ID; else the origin."""
    pod, insert_id = pl.col(frames.POD), pl.col(frames.INSERT_ID)
    where = pl.when(pod == "").then(pl.col(frames.SERVICE)).otherwise(pod)
    when = written.cast(pl.Datetime("ns")).dt.to_string("%Y-%m-%dT%H:%M:%S%.9fZ").fill_null("")
    ref = pl.concat_str(where, pl.lit("@"), pl.lit(when), pl.lit("#"), insert_id)
    return pl.when(insert_id == "").then(pl.col(frames.REF)).otherwise(ref).alias(frames.REF)


def _file_of(origin: str) -> str:
    return origin.rpartition(":")[0]
