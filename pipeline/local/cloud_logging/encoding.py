"""An entry as it arrives -> as it is kept."""

from __future__ import annotations

from typing import Any

from google.cloud.audit.audit_log_pb2 import AuditLog
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from pipeline.local.cloud_logging.store import StoredEntry

LogEntryMessage = LogEntry.pb()

# key of field 1 (entries) and of field 2 (next_page_token) of ListLogEntriesResponse, both of
# wire type 2 (protobuf.dev, "Encoding")
_ENTRIES_KEY = b"\x0a"
_TOKEN_KEY = b"\x12"


def encode_entry(entry: Any, project: str, received_ns: int) -> StoredEntry:
    """Keep `entry` of `project`, a ``LogEntry`` message that has a timestamp and an insert ID.

    Its receive timestamp is set. Raises `ValueError` for a value that JSON cannot have.
    """
    entry.receive_timestamp.FromNanoseconds(received_ns)
    try:
        document = _to_document(entry)
    except SerializeToJsonError as error:
        raise ValueError(str(error)) from error
    position = (entry.timestamp.ToNanoseconds(), entry.insert_id, project)
    return StoredEntry(position, received_ns, document, _frame(_ENTRIES_KEY, entry.SerializeToString()))


def encode_page(entries: list[bytes], token: str) -> bytes:
    """The bytes of a ``ListLogEntriesResponse``: its fields one after the other."""
    return b"".join(entries) + (_frame(_TOKEN_KEY, token.encode()) if token else b"")


def _to_document(entry: Any) -> dict[str, Any]:
    """The REST form. Of a proto payload that is no audit entry only its type is known."""
    if not entry.HasField("proto_payload") or entry.proto_payload.Is(AuditLog.DESCRIPTOR):
        return dict(MessageToDict(entry))
    rest = LogEntryMessage()
    rest.CopyFrom(entry)
    rest.ClearField("proto_payload")
    return {**MessageToDict(rest), "protoPayload": {"@type": entry.proto_payload.type_url}}


def _frame(key: bytes, content: bytes) -> bytes:
    return key + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first, the high bit on all but the last."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
