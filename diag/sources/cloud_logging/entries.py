"""LogEntry messages -> their JSON form, straight from a page's messages.

What one pod writes has the same resource and labels, and most fields come with the same value again and
again: what was read once is known when its bytes come again. Every other way costs a multiple of it, and
the difference is seconds on a large window.
"""

from __future__ import annotations

from typing import Any

from google.api.monitored_resource_pb2 import MonitoredResource  # type: ignore[import-untyped]
from google.cloud.audit.audit_log_pb2 import AuditLog
from google.logging.type import log_severity_pb2
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value

from diag.model.instants import NS_PER_S, format_instant
from diag.model.remembered import Remembered
from diag.sources.cloud_logging.messages import Field, Label

_EXACT = 2**53
"""Whole numbers from here on may have lost their last digits: they came as doubles."""

UNREADABLE = "<could not be read>"
"""Stands for a value of a payload that Google's library does not open."""


def to_json_form(entry: Any) -> dict[str, Any]:
    """One entry of a `Page` as the REST API would write it; parts of it are shared with other entries."""
    form: dict[str, Any] = {
        "logName": entry.log_name,
        "insertId": entry.insert_id,
        "severity": _SEVERITIES[entry.severity],
        "resource": _RESOURCES[entry.resource],
        "labels": _LABELS[tuple(entry.labels)],
    }
    if entry.HasField("timestamp"):
        form["timestamp"] = _instant(entry.timestamp)
    if entry.HasField("receive_timestamp"):
        form["receiveTimestamp"] = _instant(entry.receive_timestamp)
    if entry.trace:
        form["trace"] = entry.trace
    payload = entry.WhichOneof("payload")
    if payload == "json_payload":
        form["jsonPayload"] = dict(map(_field, entry.json_payload.fields))
    elif payload == "text_payload":
        form["textPayload"] = entry.text_payload
    elif payload == "proto_payload":
        form["protoPayload"] = _read_proto(entry.proto_payload)
    return form


def _read_proto(packed: Any) -> dict[str, Any]:
    """Of an audit line who changed what, and how; of other messages their type alone."""
    form: dict[str, Any] = {"@type": packed.type_url}
    log = _unpack(packed)
    if log is None:
        return form
    form |= {
        "methodName": log.method_name,
        "resourceName": log.resource_name,
        "authenticationInfo": {"principalEmail": log.authentication_info.principal_email},
        "status": {"code": log.status.code} if log.status.code else {},
    }
    for name in ("request", "response"):
        if log.HasField(name):
            form[name] = _mapping(getattr(log, name))
    return form


def _unpack(packed: Any) -> AuditLog | None:
    if packed.type_url.rpartition("/")[2] != AuditLog.DESCRIPTOR.full_name:
        return None
    return _open(AuditLog, packed.value)


def _open(kind: Any, encoded: bytes) -> Any:
    """The message; None of bytes that hold none: one field of one entry must not cost the page.

    Broken text is one, a value inside of more values than Google's library opens another.
    """
    try:
        return kind.FromString(encoded)
    except DecodeError:
        return None


def _name_severity(number: int) -> str:
    """The name; the number itself where a later version of the service has one that is not known here."""
    known = log_severity_pb2.LogSeverity.DESCRIPTOR.values_by_number.get(number)
    return str(number) if known is None else str(known.name)


def _read_resource(encoded: bytes) -> dict[str, Any]:
    resource = _open(MonitoredResource, encoded) or MonitoredResource()
    return {"type": resource.type, "labels": dict(resource.labels)}


def _read_labels(encoded: tuple[bytes, ...]) -> dict[str, str]:
    labels = (_open(Label, one) for one in encoded)
    return {label.key: label.value for label in labels if label is not None}


def _read_field(encoded: bytes) -> tuple[str, Any]:
    field = _open(Field, encoded) or Field()
    value = _open(Value, field.value)
    return field.key, UNREADABLE if value is None else _value(value)


_SEVERITIES = Remembered(_name_severity)
_RESOURCES = Remembered(_read_resource)
_LABELS = Remembered(_read_labels)
_FIELDS = Remembered(_read_field)
_field = _FIELDS.__getitem__


def _instant(stamp: Any) -> str:
    return format_instant(stamp.seconds * NS_PER_S + stamp.nanos)


def _value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < _EXACT else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _mapping(value.struct_value)
    if kind == "list_value":
        return [_value(one) for one in value.list_value.values]
    return None


def _mapping(struct: Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in struct.fields.items()}
