"""Pages of entries as messages that stay closed where most entries hold the same.

Google's own messages open every label and every value of a payload, and reading those one by one costs more
than all else. These are for the same bytes: they have the numbers of ``google/logging/v2/logging.proto`` and
``log_entry.proto``, but what a few pods repeat a thousand times stays bytes, and is read once (``entries``).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import ListLogEntriesRequest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    OneofDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE = "diag"
_INT32, _INT64 = FieldDescriptorProto.TYPE_INT32, FieldDescriptorProto.TYPE_INT64
_STRING, _BYTES = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES


def _one(name: str, number: int, kind: int | str, **more: Any) -> FieldDescriptorProto:
    """A field; `kind` is a type, or the name of a message of ours."""
    if isinstance(kind, str):
        more["type_name"], kind = f".{_PACKAGE}.{kind}", FieldDescriptorProto.TYPE_MESSAGE
    more.setdefault("label", FieldDescriptorProto.LABEL_OPTIONAL)
    return FieldDescriptorProto(name=name, number=number, type=kind, **more)


def _many(name: str, number: int, kind: int | str) -> FieldDescriptorProto:
    return _one(name, number, kind, label=FieldDescriptorProto.LABEL_REPEATED)


_FILE = FileDescriptorProto(
    name=f"{_PACKAGE}/page.proto",
    package=_PACKAGE,
    syntax="proto3",
    message_type=[
        DescriptorProto(
            name="Page", field=[_many("entries", 1, "Entry"), _one("next_page_token", 2, _STRING)]
        ),
        DescriptorProto(
            name="Entry",
            oneof_decl=[OneofDescriptorProto(name="payload")],
            field=[
                _one("proto_payload", 2, "Any", oneof_index=0),
                _one("text_payload", 3, _STRING, oneof_index=0),
                _one("insert_id", 4, _STRING),
                _one("json_payload", 6, "Struct", oneof_index=0),
                _one("resource", 8, _BYTES),
                _one("timestamp", 9, "Timestamp"),
                _one("severity", 10, _INT32),
                _many("labels", 11, _BYTES),
                _one("log_name", 12, _STRING),
                _one("trace", 22, _STRING),
                _one("receive_timestamp", 24, "Timestamp"),
            ],
        ),
        DescriptorProto(name="Any", field=[_one("type_url", 1, _STRING), _one("value", 2, _BYTES)]),
        DescriptorProto(name="Struct", field=[_many("fields", 1, _BYTES)]),
        DescriptorProto(name="Timestamp", field=[_one("seconds", 1, _INT64), _one("nanos", 2, _INT32)]),
        # what stands closed in `Entry.labels` and in `Struct.fields`
        DescriptorProto(name="Label", field=[_one("key", 1, _STRING), _one("value", 2, _STRING)]),
        DescriptorProto(name="Field", field=[_one("key", 1, _STRING), _one("value", 2, _BYTES)]),
    ],
)

_POOL = DescriptorPool()
_POOL.AddSerializedFile(_FILE.SerializeToString())


def _class_of(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Page, Label, Field = _class_of("Page"), _class_of("Label"), _class_of("Field")


class PagesTransport(LoggingServiceV2GrpcTransport):
    """Google's transport, but that an answer with entries is a `Page`."""

    @cached_property
    def list_log_entries(self) -> Any:
        """The method, the same each time: the client knows by it what it wrapped around."""
        return self.grpc_channel.unary_unary(
            "/google.logging.v2.LoggingServiceV2/ListLogEntries",
            request_serializer=ListLogEntriesRequest.serialize,
            response_deserializer=Page.FromString,
        )
