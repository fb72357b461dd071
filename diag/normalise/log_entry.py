"""A Cloud Logging LogEntry in its JSON form, as the API, gcloud and the sinks write it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from diag.model.records import FILES, LogRecord
from diag.normalise.draft import EMPTY, Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.levels import to_level
from diag.normalise.text_line import read_text_line
from diag.normalise.timestamps import to_instant

_MARKS = frozenset(
    {"logName", "log_name", "jsonPayload", "json_payload", "textPayload", "text_payload", "protoPayload"}
)


def is_log_entry(keys: Collection[str]) -> bool:
    """Whether an object with these keys is a LogEntry rather than a service's own line."""
    return not _MARKS.isdisjoint(keys) or ("resource" in keys and ("insertId" in keys or "insert_id" in keys))


def read_log_entry(entry: Mapping[str, Any]) -> Draft:
    """The parts of one entry; its payload is read as the line that it was.

    Where the entry has no time that a clock can show, its line's own counts, then when it was received.
    """
    draft = _read_payload(entry, _read_envelope(entry))
    if draft.time_ns is not None:
        return draft
    return draft._replace(time_ns=to_instant(_get(entry, "receiveTimestamp", "receive_timestamp")))


def _read_payload(entry: Mapping[str, Any], outer: Draft) -> Draft:
    payload = _unpack(_get(entry, "jsonPayload", "json_payload"))
    if isinstance(payload, dict):
        return read_json_line(payload, outer)
    text = _get(entry, "textPayload", "text_payload")
    if isinstance(text, str):
        return read_text_line(text, outer)
    proto = _get(entry, "protoPayload", "proto_payload")
    method = proto.get("methodName", "") if isinstance(proto, dict) else ""
    return outer.holding(str(method))


def find_received(record: LogRecord) -> int | None:
    """When the log service had an entry; None for what a file holds: nothing of it is still to come."""
    if record.source == FILES or isinstance(record.data, str):
        return None
    return to_instant(_get(record.data, "receiveTimestamp", "receive_timestamp"))


def _read_envelope(entry: Mapping[str, Any]) -> Draft:
    resource, labels = _mapping(entry.get("resource")), _mapping(entry.get("labels"))
    where = _mapping(resource.get("labels"))
    pod = where.get("pod_name", "")
    names = (where.get("container_name"), labels.get("k8s-pod/app"), pod)
    return Draft(
        to_instant(entry.get("timestamp")),
        to_level(entry.get("severity", "")),
        "",
        str(pod),
        _site_of(where),
        tuple([str(name) for name in names if name]),
        str(_get(entry, "insertId", "insert_id") or ""),
        str(_get(entry, "logName", "log_name") or ""),
        str(entry.get("trace") or ""),
        labels=labels,
    )


def _site_of(where: Mapping[str, Any]) -> str:
    """Where the entry's pod runs, as the labels of its resource say it."""
    cluster = where.get("cluster_name")
    return f"{where.get('location', '')}/{cluster}/{where.get('namespace_name', '')}" if cluster else ""


def _unpack(payload: Any) -> Any:
    """BigQuery writes a JSON column as a text."""
    if not isinstance(payload, str) or not payload.startswith("{"):
        return payload
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None


def _get(entry: Mapping[str, Any], name: str, other_name: str) -> Any:
    return entry[name] if name in entry else entry.get(other_name)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else EMPTY
