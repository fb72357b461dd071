"""Any record as the log entry that GKE would have made of it, for a filter of the query language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diag.model.instants import format_instant
from diag.model.loose_json import load_json
from diag.model.records import LogRecord
from diag.normalise.draft import Draft
from diag.normalise.log_entry import is_log_entry
from diag.normalise.shapes import read_record

_SEVERITIES = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "fatal": "CRITICAL",
}


def to_entry(record: LogRecord) -> Mapping[str, Any]:
    """A log entry is itself; of anything else its parts: time, severity, pod, container, fields, text."""
    if isinstance(record.data, Mapping) and is_log_entry(tuple(record.data)):
        return record.data
    draft, text = read_record(record), _text_of(record)
    return _to_entry(draft, text, {} if text else _find_message(record.data, draft.message))


def _text_of(record: LogRecord) -> str:
    """A line that is no JSON to its end is a text as a whole, whatever pairs stand in it; else nothing."""
    is_text = isinstance(record.data, str) and not record.data.rstrip().endswith("}")
    return str(record.data) if is_text else ""


def _find_message(data: Mapping[str, Any] | str, message: str) -> dict[str, Any]:
    """The message under the name that its writer gave it: GKE leaves it there."""
    if isinstance(data, str):
        start = data.find("{")
        try:
            data = load_json(data[start:]) if start >= 0 else {}
        except ValueError:
            return {}
    fields = data.items() if isinstance(data, Mapping) else ()
    return {name: value for name, value in fields if message and value == message}


def _to_entry(draft: Draft, text: str, named: Mapping[str, Any]) -> dict[str, Any]:
    container = next(iter(draft.name_hints), "")
    labels = {"pod_name": draft.pod, "container_name": container}
    entry: dict[str, Any] = {
        "logName": draft.log_name,
        "insertId": draft.insert_id,
        "trace": draft.trace,
        "severity": _SEVERITIES.get(draft.level, "DEFAULT"),
        "resource": {
            "type": "k8s_container",
            "labels": {name: text for name, text in labels.items() if text},
        },
        "labels": draft.labels,
    }
    if draft.time_ns is not None:
        entry["timestamp"] = format_instant(draft.time_ns)
    if (draft.payload or named) and not text:
        entry["jsonPayload"] = {"message": draft.message, "level": draft.level, **named, **draft.payload}
    else:
        entry["textPayload"] = text or draft.message
    return {name: value for name, value in entry.items() if value}
