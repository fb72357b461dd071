"""LogEntry messages -> their JSON form, straight from the raw message.

Going through proto-plus or MessageToDict costs three times as much for the same result, and the
difference is seconds on a large window.
"""

from __future__ import annotations

from typing import Any

from google.logging.type import log_severity_pb2
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from diag.model.instants import NS_PER_S, format_instant


def to_json_form(entry: Any) -> dict[str, Any]:
    """One entry (raw ``google.logging.v2.LogEntry``) as the REST API would write it."""
    form: dict[str, Any] = {
        "logName": entry.log_name,
        "insertId": entry.insert_id,
        "severity": log_severity_pb2.LogSeverity.Name(entry.severity),
        "resource": {"type": entry.resource.type, "labels": dict(entry.resource.labels)},
        "labels": dict(entry.labels),
    }
    if entry.HasField("timestamp"):
        form["timestamp"] = _instant(entry.timestamp)
    if entry.HasField("receive_timestamp"):
        form["receiveTimestamp"] = _instant(entry.receive_timestamp)
    if entry.trace:
        form["trace"] = entry.trace
    payload = entry.WhichOneof("payload")
    if payload == "json_payload":
        form["jsonPayload"] = _mapping(entry.json_payload)
    elif payload == "text_payload":
        form["textPayload"] = entry.text_payload
    elif payload == "proto_payload":
        form["protoPayload"] = {"@type": entry.proto_payload.type_url}
    return form


def _instant(stamp: Timestamp) -> str:
    return format_instant(stamp.seconds * NS_PER_S + stamp.nanos)


def _mapping(struct: Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _mapping(value.struct_value)
    if kind == "list_value":
        return [_value(one) for one in value.list_value.values]
    return None
