from __future__ import annotations

import pytest
from google.cloud.logging_v2.types import ListLogEntriesResponse
from google.protobuf.any_pb2 import Any as AnyMessage

from pipeline.local.cloud_logging.encoding import LogEntryMessage, encode_entry, encode_page

NEXT = "next"


def make(insert_id="i", **fields):
    entry = LogEntryMessage(insert_id=insert_id, **fields)
    entry.timestamp.FromNanoseconds(1_767_225_600_000_000_001)
    return entry


@pytest.mark.parametrize("length", [0, 1, 100, 127, 128, 16_383, 16_384, 200_000])
def test_page_is_a_list_response(length):
    """Entries put one after the other are read as one response, whatever their sizes."""
    entries = [encode_entry(make("a", text_payload="x" * length), "p", 5), encode_entry(make("b"), "p", 6)]

    page = ListLogEntriesResponse.pb().FromString(encode_page([entry.encoded for entry in entries], NEXT))

    assert [(entry.insert_id, len(entry.text_payload)) for entry in page.entries] == [("a", length), ("b", 0)]
    assert page.next_page_token == NEXT
    assert page.entries[1].receive_timestamp.ToNanoseconds() == 6


def test_last_page_has_no_token():
    """An empty token is none."""
    assert encode_page([], "") == b""


def test_document_is_the_rest_form():
    """A filter sees what the REST API would show: camel case, times as text, enums by name."""
    entry = make(log_name="projects/p/logs/stdout", severity=400)
    entry.json_payload.update({"session_id": "s", "n": 1, "nested": {"list": [1.5, None]}})
    entry.resource.type = "k8s_container"
    entry.resource.labels["pod_name"] = "x"

    stored = encode_entry(entry, "p", 1_767_225_600_500_000_000)

    assert stored.document == {
        "logName": "projects/p/logs/stdout",
        "insertId": "i",
        "severity": "WARNING",
        "timestamp": "2026-01-01T00:00:00.000000001Z",
        "receiveTimestamp": "2026-01-01T00:00:00.500Z",
        "resource": {"type": "k8s_container", "labels": {"pod_name": "x"}},
        "jsonPayload": {"session_id": "s", "n": 1, "nested": {"list": [1.5, None]}},
    }
    assert stored.position == (1_767_225_600_000_000_001, "i", "p")


def test_unknown_proto_payload_is_kept():
    """A proto payload of a type that is not known here is listed as it came, and filtered by its type."""
    payload = AnyMessage(type_url="type.googleapis.com/no.such.Message", value=b"\x08\x01")

    stored = encode_entry(make(proto_payload=payload), "p", 5)

    assert stored.document["protoPayload"] == {"@type": "type.googleapis.com/no.such.Message"}
    (entry,) = ListLogEntriesResponse.pb().FromString(stored.encoded).entries
    assert entry.proto_payload == payload
