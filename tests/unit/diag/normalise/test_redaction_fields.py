"""Parsed fields: the key decides first, then the form; what cannot be redacted is not shown."""

from __future__ import annotations

from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.records import LogRecord
from diag.normalise import to_frame
from diag.normalise.redaction import patterns, redact_fields, redact_id, redact_text
from diag.normalise.redaction.pseudonyms import NOT_SHOWN

CATALOGUE = load_catalogue()


def redact(fields: dict[str, Any]) -> dict[str, Any]:
    return redact_fields(fields, CATALOGUE.content_keys, frozenset(CATALOGUE.id_roles))


@pytest.mark.parametrize(
    "value",
    [
        "jane.doe@example.com",
        "+49 170 1234567",
        "0171 2345678",
        "4917112345678",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij",
        "203.0.113.7",
        "my heart hurts",
        "test_session_jane.doe@example.com",
        "session_undefined_jane.doe@example.com",
        "x" * 300,
    ],
)
def test_what_stands_under_an_ids_key_and_is_none_is_gone(value: str) -> None:
    """Wherever that key is nested, in the list of IDs as well; the same value keeps one pseudonym."""
    assert redact_id(value) != value
    entry = to_entries(
        to_frame(
            [LogRecord({"msg": "x", "sessionID": value, "n": {"session_id": [value]}}, "a:1")], CATALOGUE
        )
    )[0]

    assert value not in str(entry)
    assert entry.ids_in("session") == (redact_id(value),) == (entry.field("sessionID"),)


def test_a_number_under_an_ids_key_is_judged_like_its_text() -> None:
    """Some services count their sessions."""
    assert redact({"session_id": 12345})["session_id"] == 12345
    assert redact({"session_id": 4917112345678})["session_id"] != 4917112345678


def test_keys_are_redacted_too() -> None:
    """Somebody counts by caller."""
    shown = redact({"jane.doe@example.com": 1, "by": {"+491701234567": {"session_id": "undefined"}}})

    assert "jane" not in str(shown)
    assert "1234567" not in str(shown)
    frame = to_frame([LogRecord({"m": {"jane@example.com": {"session_id": "undefined"}}}, "a:1")], CATALOGUE)
    assert "jane" not in str(to_entries(frame)[0])


def test_all_that_stands_below_a_telling_key_is_meant() -> None:
    """Lists and mappings inherit it; numbers of a content stay, those of a secret do not."""
    shown = redact(
        {
            "response": {"choices": [{"words": "my heart hurts", "p": 0.9}], "session_id": "undefined"},
            "credentials": {"user": "app", "pin": 1234, "of": ["hunter2"], "valid": True},
            "from": {"number": 491701234567},
            "headers": {"authorization": "Bearer x", "x-api-key": "y1z2", "Cookie": ["sid=1"]},
        }
    )

    assert shown["response"]["choices"][0]["p"] == 0.9
    assert shown["response"]["session_id"] == "undefined"
    assert shown["credentials"]["valid"] is True
    for gone in ("heart", "hunter2", "1234", "app", "491701234567", "Bearer x", "y1z2", "sid=1"):
        assert gone not in str(shown)


@pytest.mark.parametrize(
    "key",
    [
        "user_input",
        "reply_text",
        "utterance_text",
        "systemPrompt",
        "answer",
        "speech",
        "caller_name",
        "llm_response",
        "user_text",
        "customer",
    ],
)
def test_keys_that_no_catalogue_lists_hide_what_was_said(key: str) -> None:
    """By the words in their names."""
    assert redact({key: "my heart hurts"})[key].startswith("<said, 14 characters")


def test_a_card_written_as_a_number_is_gone() -> None:
    """And a time in nanoseconds is none."""
    assert redact({"pan": 4111111111111111})["pan"] != 4111111111111111
    assert redact({"ns": 1753615602114220410})["ns"] == 1753615602114220410


def test_redaction_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in a rule shows nothing rather than everything; the other fields are not lost."""

    def fail(_text: str) -> str:
        raise ValueError

    monkeypatch.setattr("diag.normalise.redaction.text.redact_forms", fail)
    monkeypatch.setattr("diag.normalise.redaction.fields._redact_key", str)

    assert redact_text("hello") == NOT_SHOWN
    assert redact_id("some@thing") == NOT_SHOWN
    assert redact({"a": "hello", "n": 1, "session_id": "ws_1753620374180073703"}) == {
        "a": NOT_SHOWN,
        "n": 1,
        "session_id": "ws_1753620374180073703",
    }


def test_a_payload_without_a_bottom_is_not_shown_below() -> None:
    """Nesting is followed so far and no further."""
    deep: dict[str, Any] = {"password": "hunter2"}
    for _ in range(900):
        deep = {"a": deep}

    shown = str(redact({"deep": deep, "n": 1}))

    assert NOT_SHOWN in shown
    assert "hunter2" not in shown


def test_every_kind_of_form_has_a_name_in_its_pseudonym() -> None:
    """A pseudonym is recognised as one, so that redacting twice changes nothing."""
    kinds = {form.kind for family in patterns.FAMILIES for form in family.forms} - {""}

    for kind in kinds:
        assert redact_text(f"password: <{kind} 012abc>") == f"password: <{kind} 012abc>"
