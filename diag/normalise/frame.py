"""Records -> the frame that ``model.frames`` describes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.instants import format_instant
from diag.model.records import LogRecord
from diag.normalise.copies import drop_copies
from diag.normalise.draft import Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.log_entry import is_log_entry, read_log_entry
from diag.normalise.mentions import find_mentions
from diag.normalise.redaction import redact_fields, redact_id, redact_text
from diag.normalise.services import ServiceNames, hints_of_origin
from diag.normalise.text_line import read_text_line

Row = dict[str, Any]


def to_frame(records: Iterable[LogRecord], catalogue: Catalogue, first_order: int = 0) -> pl.DataFrame:
    """One row per record, in the order given; `first_order` continues an earlier frame's count."""
    to_row = _RowMaker(catalogue)
    rows = [to_row(record, order) for order, record in enumerate(records, first_order)]
    _fill_from_neighbours(rows)
    return frames.check_schema(pl.DataFrame(rows, schema=frames.ENTRY_SCHEMA, orient="row"))


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
    return frames.check_schema(drop_copies(joined.filter(~duplicate)))


class _RowMaker:
    """Record -> row, with what the catalogue knows at hand."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._names = ServiceNames(catalogue)
        self._id_keys = frozenset(catalogue.id_roles)

    def __call__(self, record: LogRecord, order: int) -> Row:
        draft = read_record(record)
        file_pod, file_name = hints_of_origin(record.origin)
        pod, service = draft.pod or file_pod, self._names.of_line(draft, file_name)
        fields = redact_fields(draft.payload, self._catalogue.content_keys, self._id_keys)
        return {
            frames.TIME: draft.time_ns,
            frames.TIME_KNOWN: draft.time_ns is not None,
            frames.RECEIVED: draft.received_ns,
            frames.SERVICE: service,
            frames.POD: pod,
            frames.LEVEL: draft.level,
            frames.MESSAGE: redact_text(draft.message, self._catalogue.content_keys),
            frames.INSERT_ID: draft.insert_id,
            frames.LOG_NAME: draft.log_name,
            frames.REF: _to_ref(draft, pod or service, record),
            frames.SOURCE: record.source,
            frames.ORDER: order,
            frames.IDS: [
                {
                    frames.ID_ROLE: one.role,
                    frames.ID_KEY: redact_text(one.key),
                    frames.ID_TEXT: redact_id(one.text),
                }
                for one in find_mentions(draft, self._catalogue)
            ],
            frames.FIELDS: orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS),
            frames.UNPARSED: draft.unparsed,
        }


def read_record(record: LogRecord) -> Draft:
    """The parts of one record, whatever its shape."""
    if isinstance(record.data, str):
        return read_text_line(record.data)
    return read_log_entry(record.data) if is_log_entry(record.data) else read_json_line(record.data)


def _to_ref(draft: Draft, where: str, record: LogRecord) -> str:
    if not draft.insert_id:
        return record.origin
    when = "" if draft.time_ns is None else format_instant(draft.time_ns)
    return f"{where}@{when}#{draft.insert_id}"


def _fill_from_neighbours(rows: list[Row]) -> None:
    """A line without a time has the one before it in its file; without a service, the file's only one."""
    by_file: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not row[frames.INSERT_ID]:
            by_file[row[frames.REF].rsplit(":", 1)[0]].append(row)
    for lines in by_file.values():
        _fill_times(lines)
        services = {row[frames.SERVICE] for row in lines if row[frames.SERVICE]}
        if len(services) == 1:
            only = services.pop()
            for row in lines:
                row[frames.SERVICE] = only


def _fill_times(lines: list[Row]) -> None:
    last = next((row[frames.TIME] for row in lines if row[frames.TIME] is not None), None)
    for row in lines:
        if row[frames.TIME] is None:
            row[frames.TIME] = last
        else:
            last = row[frames.TIME]
