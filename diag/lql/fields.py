"""The fields of a log entry: which exist, and of what type each is.

Source: the LogEntry reference, and "Field path identifiers" of the query language. A path that
leaves a typed field (``textPayload.x``) is an error before the query runs; below a map or a payload
any key may stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from diag.model.filters import Cast, CastType, Comparison


class FieldType(Enum):
    """How a field's value compares."""

    TEXT = auto()
    TIMESTAMP = auto()
    SEVERITY = auto()
    INTEGER = auto()
    BOOLEAN = auto()
    DURATION = auto()
    NUMBER = auto()  # no field is one, but a value that was cast
    DYNAMIC = auto()  # below a payload or a map: the value's own type decides


_Tree = dict[str, "FieldType | _Tree"]

_SCHEMA: _Tree = {
    "logName": FieldType.TEXT,
    "insertId": FieldType.TEXT,
    "textPayload": FieldType.TEXT,
    "jsonPayload": FieldType.DYNAMIC,
    "protoPayload": FieldType.DYNAMIC,
    "timestamp": FieldType.TIMESTAMP,
    "receiveTimestamp": FieldType.TIMESTAMP,
    "severity": FieldType.SEVERITY,
    "labels": FieldType.DYNAMIC,
    "metadata": {"systemLabels": FieldType.DYNAMIC, "userLabels": FieldType.DYNAMIC},
    "errorGroups": {"id": FieldType.TEXT},
    "apphub": FieldType.DYNAMIC,
    "apphubSource": FieldType.DYNAMIC,
    "apphubDestination": FieldType.DYNAMIC,
    "trace": FieldType.TEXT,
    "traceSampled": FieldType.BOOLEAN,
    "spanId": FieldType.TEXT,
    "resource": {"type": FieldType.TEXT, "labels": FieldType.DYNAMIC},
    "operation": {
        "id": FieldType.TEXT,
        "producer": FieldType.TEXT,
        "first": FieldType.BOOLEAN,
        "last": FieldType.BOOLEAN,
    },
    "sourceLocation": {"file": FieldType.TEXT, "line": FieldType.INTEGER, "function": FieldType.TEXT},
    "split": {"uid": FieldType.TEXT, "index": FieldType.INTEGER, "totalSplits": FieldType.INTEGER},
    "httpRequest": {
        "requestMethod": FieldType.TEXT,
        "requestUrl": FieldType.TEXT,
        "requestSize": FieldType.INTEGER,
        "status": FieldType.INTEGER,
        "responseSize": FieldType.INTEGER,
        "userAgent": FieldType.TEXT,
        "remoteIp": FieldType.TEXT,
        "serverIp": FieldType.TEXT,
        "referer": FieldType.TEXT,
        "latency": FieldType.DURATION,
        "cacheLookup": FieldType.BOOLEAN,
        "cacheHit": FieldType.BOOLEAN,
        "cacheValidatedWithOriginServer": FieldType.BOOLEAN,
        "cacheFillBytes": FieldType.INTEGER,
        "protocol": FieldType.TEXT,
    },
}

SEVERITIES = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}


def find_type(path: tuple[str, ...]) -> FieldType | None:
    """The type at `path`; None where no entry can have such a field.

    A message as a whole (``resource``, ``httpRequest``) is `DYNAMIC`: it can be asked for presence.
    """
    level: FieldType | _Tree = _SCHEMA
    for name in path:
        if level is FieldType.DYNAMIC:
            return level
        if not isinstance(level, dict) or name not in level:
            return None
        level = level[name]
    return FieldType.DYNAMIC if isinstance(level, dict) else level


def default_of(kind: FieldType) -> object:
    """What an absent field of this type counts as; None for a dynamic one, which is then missing."""
    return {
        FieldType.TEXT: "",
        FieldType.SEVERITY: "DEFAULT",
        FieldType.INTEGER: 0,
        FieldType.BOOLEAN: False,
        FieldType.DURATION: "0s",
        FieldType.TIMESTAMP: "1970-01-01T00:00:00Z",
    }.get(kind)


_CAST = {
    CastType.STRING: FieldType.TEXT,
    CastType.INT64: FieldType.INTEGER,
    CastType.FLOAT64: FieldType.NUMBER,
    CastType.BOOL: FieldType.BOOLEAN,
    CastType.TIMESTAMP: FieldType.TIMESTAMP,
    CastType.DURATION: FieldType.DURATION,
}


def type_of(tree: Comparison) -> FieldType:
    """The type in which a comparison compares: the field's, or that of the last step."""
    if not tree.steps:
        return find_type(tree.path) or FieldType.DYNAMIC
    last = tree.steps[-1]
    return _CAST[last.kind] if isinstance(last, Cast) else FieldType.TEXT


_INDEXED = frozenset(
    {
        ("resource", "type"), ("logName",), ("severity",), ("timestamp",), ("insertId",), ("operation", "id"),
        ("trace",), ("httpRequest", "status"), ("split", "uid"),
    }
)  # fmt: skip


def is_indexed(path: tuple[str, ...]) -> bool:
    """Whether the service finds this field's values without reading entries ("Use indexed fields")."""
    return path in _INDEXED or path[:1] == ("labels",) or path[:2] == ("resource", "labels")


def name_fields() -> Iterator[str]:
    """Every field that all entries share, and the roots of payloads and maps, as they are written."""
    return _names(_SCHEMA)


def _names(tree: _Tree) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        if isinstance(below, dict):
            yield from (f"{name}.{inner}" for inner in _names(below))
