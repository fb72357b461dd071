"""Exports as CSV, of Logs Explorer, BigQuery, Kibana and Grafana: a row becomes the object that it was."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from diag.model.records import LogRecord

_LARGEST_CELL = 1 << 24
_LOOK_AT = 8192

_TIMES = frozenset(
    {"timestamp", "@timestamp", "time", "date", "receivetimestamp", "receive_timestamp", "tsns"}
)
_SAYS = re.compile(r"(?:json|text|proto)_?payload(?:\..+)?|message|msg|log|line|_source", re.IGNORECASE)
_HEADER = re.compile(rb"\"?[A-Za-z_@][\w@ ./\"-]*,")

_WHOLE = re.compile(r"(?:resource\.)?labels\.")
"""What stands behind it is one key, dots and all."""
_STEP = re.compile(r'"([^"]*)"|([^.]+)')
_DEEPEST = 8

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(\.\d{1,15})?")
_KIBANA = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) @ (\d\d:\d\d:\d\d(?:\.\d+)?)")
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_OBJECTS = frozenset(
    {
        "jsonPayload",
        "json_payload",
        "protoPayload",
        "proto_payload",
        "resource",
        "labels",
        "kubernetes",
        "_source",
    }
)
_GRAFANA = {"Line": "line", "tsNs": "timestamp"}


def is_table(head: bytes) -> bool:
    """Whether the first line names columns, a time and something said among them."""
    first = head[:_LOOK_AT].partition(b"\n")[0]
    if _HEADER.match(first) is None:
        return False
    try:
        names = [name.strip() for name in next(csv.reader([first.decode("utf-8", "replace")]), [])]
    except csv.Error:
        return False
    return any(name.lower() in _TIMES for name in names) and any(_SAYS.fullmatch(name) for name in names)


def read_table(data: bytes, name: str) -> Iterator[LogRecord]:
    """A record for each row, with the number of its first line; what fits no column is kept as text."""
    csv.field_size_limit(_LARGEST_CELL)
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""))
    paths = [_to_path(_GRAFANA.get(column.strip(), column.strip())) for column in next(rows)]
    number = rows.line_num + 1
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            row = [f"{{a row that is no CSV: {error}"]
        if row:
            yield LogRecord(
                _to_object(paths, row) if len(row) <= len(paths) else ",".join(row), f"{name}:{number}"
            )
        number = rows.line_num + 1


def _to_path(column: str) -> tuple[str, ...]:
    whole = _WHOLE.match(column)
    if whole is not None:
        return (*whole[0].rstrip(".").split("."), column[whole.end() :].strip('"'))
    steps = [quoted or plain for quoted, plain in _STEP.findall(column)]
    return tuple(steps[:_DEEPEST]) or (column,)


def _to_object(paths: Sequence[tuple[str, ...]], row: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (*folders, key), cell in zip(paths, row, strict=False):
        if not cell:
            continue
        inside = found
        for folder in folders:
            step = inside.setdefault(folder, {})
            inside = step if isinstance(step, dict) else {}
        inside[key] = _to_value(cell) if folders or key in _OBJECTS else _to_iso(cell)
    if "line" in found:
        found.setdefault("labels", {})
    return found


def _to_value(cell: str) -> Any:
    """A number, an object or a text: a table has nothing but texts."""
    number = _NUMBER.fullmatch(cell)
    if number is not None:
        return float(cell) if number[1] else int(cell)
    if cell in ("true", "false"):
        return cell == "true"
    if cell[0] in "{[":
        try:
            return orjson.loads(cell)
        except orjson.JSONDecodeError:
            return cell
    return cell


def _to_iso(cell: str) -> str:
    """Kibana writes its times for people."""
    found = _KIBANA.fullmatch(cell)
    if found is None or (month := _MONTHS.find(found[1])) < 0:
        return cell
    return f"{found[3]}-{month // 3 + 1:02d}-{int(found[2]):02d}T{found[4]}"
