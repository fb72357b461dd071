"""What leaves an entry where it enters, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.records import LogRecord
from diag.normalise import to_frame
from diag.normalise.redaction import redact_text

SESSION = "session_1753615601372_cz4gw0fl5"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("call me at +49 170 1234567 now", "1234567"),
        ("from user.name@example.com", "example.com"),
        ("peer 203.0.113.7:5000 left", "203.0.113.7"),
        ("candidate 2001:db8:0:1::17 host", "2001:db8"),
        ("Authorization: Bearer abcdef123456789", "abcdef123456789"),
        ("postgres://app:hunter2@db:5432/x", "hunter2"),
        ("url?token=s3cr3tvalue&x=1", "s3cr3tvalue"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghij", "eyJzdWIi"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
        ("GET /synthesize?text=hello+my+love HTTP", "my+love"),
    ],
)
def test_secrets_and_personal_data_are_gone(text: str, gone: str) -> None:
    """Whatever key or sentence they stand in."""
    assert gone not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        f"connection not found for session: {SESSION}",
        "ws_1753615602114220410 at 127.0.0.1:8001",
        "[3] Unknown Topic Or Partition: the request is for a topic or partition that does not exist on this broker",
        "took 1.234567 s at 2025-07-27T11:26:41.372Z, image v1.0.22, 79 bytes at offset 12345678901",
    ],
)
def test_ids_times_and_numbers_stay(text: str) -> None:
    """Redaction must not eat the evidence."""
    assert redact_text(text) == text


def test_equal_values_keep_equal_pseudonyms() -> None:
    """Two occurrences can still be told to be one."""
    assert redact_text("from 203.0.113.7") == redact_text("from 203.0.113.7")
    assert redact_text("from 203.0.113.7") != redact_text("from 203.0.113.8")


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing(text: str) -> None:
    """A pseudonym is no personal data."""
    once = redact_text(text)

    assert redact_text(once) == once


def test_what_was_said_leaves_only_its_length() -> None:
    """Contents are replaced by key, wherever they are nested; IDs in a raw message are found first."""
    line = {
        "msg": "Raw WebSocket message received",
        "rawMessage": f'{{"event":"trigger_llm","session_id":"{SESSION}","final_transcript":"my heart hurts"}}',
        "transcript": "my heart hurts",
        "nested": {"response": "see a doctor"},
        "password": "hunter2",
    }
    frame = to_frame([LogRecord(line, "a.log:1")], load_catalogue())
    entry = to_entries(frame)[0]

    shown = str(entry)
    assert "heart" not in shown
    assert "doctor" not in shown
    assert "hunter2" not in shown
    assert "14 characters" in entry.field("transcript")
    assert entry.ids_in("session") == (SESSION,)
