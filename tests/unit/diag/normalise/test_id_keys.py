"""An ID is found wherever services put it, and in whatever state it arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.identifiers import IdKind, classify, is_lost
from diag.model.records import Entry, LogRecord
from diag.normalise import to_frame

S = "session_1753615601372_cz4gw0fl5"
W = "ws_1753615602114220410"
HEAD = {"time": "2025-07-27T11:26:41.372Z", "msg": "Received session info from frontend"}


def read(line: Any) -> Entry:
    return to_entries(to_frame([LogRecord(line, "app.log:1")], load_catalogue()))[0]


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("sessionID", "session"),
        ("session_id", "session"),
        ("sessionId", "session"),
        ("session-id", "session"),
        ("X-Session-ID", "session"),
        ("X-Session-Id", "session"),
        ("x-session-id", "session"),
        ("mediaSessionID", "media"),
        ("frontendSessionID", "frontend"),
        ("storedSessionID", "other"),
        ("storedSession", "other"),
        ("messageSession", "other"),
    ],
)
def test_every_spelling_of_the_key_is_known(key: str, role: str) -> None:
    """At the top, and nested in what the logger put around it; another client's session has no part in it."""
    assert read({**HEAD, key: S}).ids_in(role) == (S,)
    assert read({**HEAD, "request": {"headers": {key: S}}}).ids_in(role) == (S,)


@pytest.mark.parametrize(
    "fields",
    [
        {"request": {"headers": {"X-Session-Id": [S], "Accept": ["*/*", "text/html"]}}},
        {"headers": [{"key": "session-id", "value": S}, {"key": "timestamp", "value": "1753615601372"}]},
        {
            "attributes": [
                {"key": "session.id", "value": {"stringValue": S}},
                {"key": "n", "value": {"intValue": 1}},
            ]
        },
    ],
    ids=["Go's headers", "headers of a record", "attributes of OpenTelemetry"],
)
def test_lists_of_headers_and_attributes_are_read(fields: dict[str, Any]) -> None:
    """A header's one value, and names beside their values."""
    assert read({**HEAD, **fields}).ids_in("session") == (S,)


def test_a_list_of_sessions_names_none_as_its_own() -> None:
    """It is a list of others', and a list of anything else is no ID."""
    entry = read(
        {**HEAD, "session": [S, f"{S}x"], "x-session-id": [7], "a": [None, "b", {"key": 1}, {"value": S}]}
    )

    assert entry.ids_in("session") == ()


def test_a_session_that_is_an_object_has_its_id_inside() -> None:
    """``session: {id: ...}`` and OpenTelemetry's ``session.id``."""
    assert read({**HEAD, "session": {"id": S}}).ids_in("session") == (S,)
    assert read({**HEAD, "session.id": S}).ids_in("session") == (S,)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"event": "session_info", "session_id": S}),
        json.dumps({"event": "x", "data": {"session_id": S}}),
    ],
)
def test_a_raw_message_is_read_as_the_json_that_it_is(raw: str) -> None:
    """Its ``session_id`` counts as a key of the line."""
    assert S in read({**HEAD, "connID": W, "rawMessage": raw}).ids_in("session")


@pytest.mark.parametrize(
    "fields",
    [
        {"rawMessage": json.dumps({"session_id": S, "audio_data": "A" * 99})[:90]},
        {"error": f"connection not found for session: {S}"},
        {"msg": f"no reply for {S}"},
        {"detail": {"why": f"key {S}, partition 0"}},
    ],
    ids=["a raw message cut short", "an error", "the message", "a nested text"],
)
def test_an_id_inside_a_text_is_found(fields: dict[str, Any]) -> None:
    """As a mention that is no key's: it links nothing by itself."""
    assert read({**HEAD, **fields}).ids_in("text") == (S,)


@pytest.mark.parametrize("text", ["", "undefined", "null", "NaN", "None", "<nil>", "[object Object]"])
def test_a_lost_id_stays_what_it_was(text: str) -> None:
    """Under its key, in a raw message, and in an error text where one can be told."""
    assert read({**HEAD, "sessionID": text}).ids_in("session") == (text,)
    assert read({**HEAD, "rawMessage": json.dumps({"session_id": text})}).ids_in("session") == (text,)
    assert is_lost(text)
    if text:
        told = read({**HEAD, "error": f"connection not found for session: {text}"})
        assert told.ids_in("text") == (text,)


def test_a_json_null_is_no_id_and_no_loss() -> None:
    """Python services write it for every line without a session."""
    entry = read({**HEAD, "session_id": None})

    assert entry.ids_in("session") == ()
    assert entry.ids_in("null") == ("",)


@pytest.mark.parametrize(
    "text",
    [
        "session_1753615601372_cz4",
        "session_1753615601372",
        "SESSION_1753615601372_CZ4GW0FL5",
        "session%5F1753615601372%5Fcz4gw0fl5",
        "session_undefined_cz4gw0fl5",
        "20250728063939-MtKJ25as",
        "test_session_1753615601372_ab12",
        "session_1753590741399040123",
    ],
)
def test_a_changed_id_is_kept_as_it_was_written(text: str) -> None:
    """Cut, re-cased, encoded, minted from nothing, or another part's: nothing is corrected."""
    assert read({**HEAD, "session_id": text}).ids_in("session") == (text,)


def test_a_connection_is_no_session() -> None:
    """And what is called a session may turn out to be one."""
    assert classify(W).kind is IdKind.CONNECTION
    assert read({**HEAD, "connID": W, "sessionID": S}).ids_in("connection") == (W,)
