"""Records -> the frame that ``model.frames`` describes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import orjson
import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.instants import NS_PER_S, format_instant
from diag.model.records import LogRecord
from diag.normalise.copies import drop_copies
from diag.normalise.draft import Draft
from diag.normalise.header import Clock
from diag.normalise.log_entry import find_received
from diag.normalise.mentions import MentionFinder
from diag.normalise.origins import tell_origins
from diag.normalise.redaction import FieldRedactor
from diag.normalise.services import ServiceNames, hints_of_origin
from diag.normalise.shapes import read_record
from diag.normalise.years import place_clocks

Columns = defaultdict[str, list[Any]]

_ROW = "row"
_PLACES = {name: at for at, name in enumerate(n for n in frames.ENTRY_SCHEMA.names() if n != frames.IDS)}
_TIME, _POD, _LOG, _REF = (_PLACES[name] for name in (frames.TIME, frames.POD, frames.LOG_NAME, frames.REF))
_MOST_BETWEEN = 64
"""Lines of other streams between two of one stack trace."""
_MENTION = (frames.ID_ROLE, frames.ID_KEY, frames.ID_TEXT)


def to_frame(records: Iterable[LogRecord], catalogue: Catalogue, first_order: int = 0) -> pl.DataFrame:
    """One row per record, in the order given; `first_order` continues an earlier frame's count."""
    rows = _Rows(catalogue)
    for order, record in enumerate(records, first_order):
        rows.add(record, order)
    return frames.check_schema(rows.to_frame())


def join_frames(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All entries once, in the one order: time, then insert ID, then the order of reading.

    The same entry read twice (two queries, a re-delivery) is one: same log, time and insert ID, as
    Cloud Logging itself counts duplicates. So is a line that two files hold, or a file and an export.
    """
    if not parts:
        return frames.no_entries()
    joined = pl.concat(parts).sort(frames.TIME, frames.INSERT_ID, frames.ORDER, nulls_last=True)
    identity = [frames.LOG_NAME, frames.TIME, frames.INSERT_ID]
    duplicate = (pl.col(frames.INSERT_ID) != "") & ~pl.struct(identity).is_first_distinct()
    return frames.check_schema(tell_origins(drop_copies(joined.filter(~duplicate))))


class _Rows:
    """The columns of a frame while it grows, with what the catalogue knows at hand."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._names = ServiceNames(catalogue)
        self._mentions = MentionFinder(catalogue)
        self._redact = FieldRedactor(catalogue.content_keys, frozenset(catalogue.id_roles))
        self._rows: list[tuple[Any, ...]] = []
        self._ids: Columns = defaultdict(list)
        self._clocks: dict[int, Clock] = {}

    def add(self, record: LogRecord, order: int) -> None:
        """One more row."""
        draft = read_record(record)
        file_pod, file_name = hints_of_origin(record.origin)
        pod, service = draft.pod or file_pod, self._names.of_line(draft, file_name)
        self._add_ids(draft, len(self._rows))
        if draft.clock is not None and draft.time_ns is None:
            self._clocks[len(self._rows)] = draft.clock
        if draft.continues:
            draft = self._put_with_head(draft, pod, record.origin)
        row = (  # in the order of the schema, but for the IDs
            draft.time_ns,
            draft.time_ns is not None and not draft.continues,
            find_received(record),
            service,
            pod,
            draft.level,
            self._redact.texts[draft.message],
            draft.insert_id,
            draft.log_name,
            _to_ref(draft, pod or service, record),
            record.source,
            order,
            _dump(self._redact.redact(draft.payload)),
            draft.unparsed,
        )
        self._rows.append(row)

    def _put_with_head(self, draft: Draft, pod: str, origin: str) -> Draft:
        """With the time of the line of its stream that it belongs to: a runtime stamps each for itself."""
        file = origin.rpartition(":")[0]
        for row in islice(reversed(self._rows), _MOST_BETWEEN):
            if (row[_POD], row[_LOG]) == (pod, draft.log_name) and row[_REF].rpartition(":")[0] == file:
                return _at_time_of(draft, row[_TIME])
        return draft._replace(continues=False)

    def _add_ids(self, draft: Draft, row: int) -> None:
        for role, key, text in self._mentions.find(draft):
            self._ids[_ROW].append(row)
            self._ids[frames.ID_ROLE].append(role)
            self._ids[frames.ID_KEY].append(self._redact.keys[key])
            self._ids[frames.ID_TEXT].append(self._redact.ids[text])

    def to_frame(self) -> pl.DataFrame:
        """All rows; the lists of IDs are joined to them at once, row by row they cost as much as all else."""
        schema = {name: kind for name, kind in frames.ENTRY_SCHEMA.items() if name != frames.IDS}
        columns = (
            dict(zip(schema, map(list, zip(*self._rows, strict=True)), strict=True)) if self._rows else {}
        )
        times = columns.get(frames.TIME, [])
        for at, instant in place_clocks(self._clocks, times, self._ids[frames.ID_TEXT]).items():
            times[at], columns[frames.TIME_KNOWN][at] = instant, True
        _fill_from_neighbours(columns)
        frame = pl.DataFrame(columns, schema=schema)
        texts = {name: pl.String() for name in _MENTION}
        mentions = pl.DataFrame(
            {name: self._ids[name] for name in (_ROW, *_MENTION)}, schema={_ROW: pl.UInt32(), **texts}
        )
        lists = mentions.group_by(_ROW).agg(pl.struct(_MENTION).alias(frames.IDS))
        joined = frame.with_row_index(_ROW).join(lists, on=_ROW, how="left", maintain_order="left")
        nothing = pl.lit([], dtype=frames.ENTRY_SCHEMA[frames.IDS])
        return joined.with_columns(pl.col(frames.IDS).fill_null(nothing)).select(frames.ENTRY_SCHEMA.names())


def _at_time_of(draft: Draft, head_ns: int | None) -> Draft:
    """What only looks like a line of a trace, and comes later than one does, stays alone."""
    if head_ns is not None and (draft.time_ns is None or abs(draft.time_ns - head_ns) <= NS_PER_S):
        return draft._replace(time_ns=head_ns)
    return draft._replace(continues=False)


def _dump(fields: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # a number of more than 64 bits
        whole = json.loads(json.dumps(fields, default=str), parse_constant=lambda _: None)
        return json.dumps(whole, sort_keys=True).encode()


def _to_ref(draft: Draft, where: str, record: LogRecord) -> str:
    if not draft.insert_id:
        return record.origin
    when = "" if draft.time_ns is None else format_instant(draft.time_ns)
    return f"{where}@{when}#{draft.insert_id}"


def _fill_from_neighbours(columns: Mapping[str, list[Any]]) -> None:
    """A line without a time has the one before it in its file; without a service, the file's only one."""
    by_file: defaultdict[str, list[int]] = defaultdict(list)
    for row, insert_id in enumerate(columns.get(frames.INSERT_ID, ())):
        if not insert_id:
            by_file[columns[frames.REF][row].rsplit(":", 1)[0]].append(row)
    for rows in by_file.values():
        _fill_times(columns[frames.TIME], rows)
        _fill_service(columns[frames.SERVICE], rows)


def _fill_times(times: list[int | None], rows: Sequence[int]) -> None:
    last = next((times[row] for row in rows if times[row] is not None), None)
    for row in rows:
        if times[row] is None:
            times[row] = last
        else:
            last = times[row]


def _fill_service(services: list[str], rows: Sequence[int]) -> None:
    named = {services[row] for row in rows if services[row]}
    if len(named) == 1:
        only = named.pop()
        for row in rows:
            services[row] = only
