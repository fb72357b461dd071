"""Entries of a page come out as the REST API writes them, whichever came before them."""

from __future__ import annotations

from typing import Any

from google.cloud.logging_v2.types import ListLogEntriesResponse
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from diag.sources.cloud_logging import entries
from diag.sources.cloud_logging.entries import to_json_form
from diag.sources.cloud_logging.messages import Field, Label, Page

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
LABELS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=3)
STAMPS = st.sampled_from(("2025-07-27T11:26:41.372000000Z", "1969-12-31T23:59:59.000000001Z"))
ENTRIES = st.fixed_dictionaries(
    {
        "logName": st.text(max_size=20),
        "insertId": st.text(max_size=8),
        "severity": st.sampled_from(("DEFAULT", "INFO", "EMERGENCY")),
        "resource": st.fixed_dictionaries({"type": st.text(max_size=8), "labels": LABELS}),
        "labels": LABELS,
    },
    optional={"timestamp": STAMPS, "receiveTimestamp": STAMPS, "trace": st.text(min_size=1, max_size=20)},
)
PAYLOADS = st.fixed_dictionaries({"textPayload": st.text(max_size=20)}) | st.fixed_dictionaries(
    {"jsonPayload": st.dictionaries(st.text(max_size=8), VALUES, max_size=5)}
)


def encode(found: list[dict[str, Any]]) -> bytes:
    """The page as the service sends it."""
    return ParseDict({"entries": found}, ListLogEntriesResponse.pb()()).SerializeToString()


@given(st.lists(st.tuples(ENTRIES, PAYLOADS), max_size=4))
def test_every_part_comes_out_as_it_was_sent(parts) -> None:
    """All that the schema of our own names is read, and has the number that the service gives it."""
    sent = [{**entry, **payload} for entry, payload in parts]
    assert [to_json_form(one) for one in Page.FromString(encode(sent)).entries] == sent


def test_numbers_are_those_of_the_service() -> None:
    """Each field of our schema is the service's of the same name and number."""
    for ours, theirs in (
        (Page.DESCRIPTOR, ListLogEntriesResponse.pb().DESCRIPTOR),
        (
            Page.DESCRIPTOR.fields_by_name["entries"].message_type,
            ListLogEntriesResponse.pb()().entries.add().DESCRIPTOR,
        ),
    ):
        for field in ours.fields:
            assert theirs.fields_by_name[field.name].number == field.number


def test_a_text_that_is_empty_is_one() -> None:
    """An entry with an empty text is told from one without any payload."""
    (empty, nothing) = Page.FromString(encode([{"textPayload": ""}, {}])).entries
    assert to_json_form(empty)["textPayload"] == ""
    assert "textPayload" not in to_json_form(nothing)


def test_what_a_proto_holds_is_named() -> None:
    """Of an audit entry its type is told; what it holds waits for who understands it."""
    audit = {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}
    (entry,) = Page.FromString(encode([{"protoPayload": audit}])).entries
    assert to_json_form(entry)["protoPayload"] == {"@type": audit["@type"]}
    assert MessageToDict(entry)["protoPayload"]["value"]


def test_long_values_are_not_kept() -> None:
    """What is known again takes bounded memory: a field of a megabyte is read each time that it comes."""
    (entry,) = Page.FromString(encode([{"jsonPayload": {"msg": "x" * 2**20}}])).entries
    assert len(to_json_form(entry)["jsonPayload"]["msg"]) == 2**20
    assert all(len(known) < 1000 for known in entries._FIELDS)


def test_what_can_not_be_opened_costs_its_own_place_alone() -> None:
    """Broken text in a label, a value deeper than the library goes: the entry and its page are read."""
    page = Page()
    deep = Value(string_value="end").SerializeToString()
    for _ in range(60):  # a list in a value has the numbers of a payload in an entry; as a list it is refused
        deep = type(page.entries.add())(json_payload={"fields": [deep]}).SerializeToString()
    field = Field(key="deep", value=deep).SerializeToString()
    broken = Label(key="app", value="??").SerializeToString().replace(b"??", b"\xff\xfe")
    del page.entries[:]
    spoiled = page.entries.add(labels=[broken, Label(key="k8s-pod/app", value="x").SerializeToString()])
    spoiled.json_payload.fields.extend([field, b"\x0a\x50"])
    spoiled.json_payload.fields.append(
        Field(key="msg", value=Value(string_value="whole").SerializeToString()).SerializeToString()
    )
    spoiled.resource = b"\x0a\x50"
    page.entries.add(text_payload="next")

    first, second = map(to_json_form, Page.FromString(page.SerializeToString()).entries)

    assert first["labels"] == {"k8s-pod/app": "x"}
    assert first["jsonPayload"]["deep"] == entries.UNREADABLE
    assert first["jsonPayload"]["msg"] == "whole"
    assert first["resource"] == {"type": "", "labels": {}}
    assert second["textPayload"] == "next"
