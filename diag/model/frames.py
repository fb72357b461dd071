"""The one schema of entries as a frame: what normalise makes and session reads.

A frame holds every entry of a window; `Entry` values are made only for those of one session. Time
is nanoseconds since the epoch in a 64-bit integer: 1677 to 2262.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import orjson
import polars as pl

from diag.model.records import Entry, IdMention, Ids
from diag.model.remembered import Remembered

TIME = "time"
TIME_KNOWN = "time_known"
RECEIVED = "received"
SERVICE = "service"
POD = "pod"
SITE = "site"
LEVEL = "level"
MESSAGE = "message"
INSERT_ID = "insert_id"
LOG_NAME = "log_name"
REF = "ref"
SOURCE = "source"
ORDER = "order"
IDS = "ids"
FIELDS = "fields"
UNPARSED = "unparsed"

ID_ROLE = "role"
ID_KEY = "key"
ID_TEXT = "text"

ENTRY_SCHEMA = pl.Schema(
    {
        TIME: pl.Int64(),
        TIME_KNOWN: pl.Boolean(),
        RECEIVED: pl.Int64(),
        SERVICE: pl.String(),
        POD: pl.String(),
        SITE: pl.String(),  # where that pod runs: location/cluster/namespace; empty where nothing says it
        LEVEL: pl.String(),
        MESSAGE: pl.String(),
        INSERT_ID: pl.String(),
        LOG_NAME: pl.String(),
        REF: pl.String(),
        SOURCE: pl.String(),
        ORDER: pl.Int64(),
        IDS: pl.List(pl.Struct({ID_ROLE: pl.String(), ID_KEY: pl.String(), ID_TEXT: pl.String()})),
        FIELDS: pl.Binary(),  # JSON, redacted
        UNPARSED: pl.Boolean(),  # a line that no shape fits: kept as text, and counted
    }
)


def check_schema(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` itself, if it is one of entries; a wrong one is a fault in diag."""
    if frame.schema != ENTRY_SCHEMA:
        raise TypeError(f"not a frame of entries: {frame.schema}")
    return frame


def no_entries() -> pl.DataFrame:
    """A frame without entries."""
    return ENTRY_SCHEMA.to_frame(eager=True)


def to_entries(frame: pl.DataFrame) -> tuple[Entry, ...]:
    """The rows as values, in the frame's order; read column by column, which is the cheapest way out."""
    columns = (frame[name].to_list() for name in _ENTRY_COLUMNS)
    fields = map(orjson.loads, frame[FIELDS].to_list())
    return tuple(map(Entry, *columns, fields, _to_ids(frame[IDS])))


# in the order of the fields of `Entry`, but for its fields and IDs, which come last
_ENTRY_COLUMNS = (TIME, SERVICE, POD, LEVEL, MESSAGE, REF, ORDER, TIME_KNOWN, SOURCE, INSERT_ID)


def _to_ids(ids: pl.Series) -> Iterator[Ids]:
    """The IDs of each row; rows that name the same share one value, as most lines of a session do."""
    counts = ids.list.len().to_list()
    flat = ids.explode(empty_as_null=False).struct.unnest()
    mentions = zip(*(flat[name].to_list() for name in (ID_ROLE, ID_KEY, ID_TEXT)), strict=True)
    known = Remembered[tuple[tuple[str, str, str], ...], Ids](
        lambda named: Ids(IdMention(*one) for one in named)
    )
    return (known[tuple(islice(mentions, count))] for count in counts)
