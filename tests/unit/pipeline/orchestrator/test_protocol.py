"""The socket's messages: understood, or refused in words, and never anything else."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.orchestrator import protocol
from pipeline.orchestrator.protocol import MessageError, Ping, SessionInfo, read_message
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.tracing import start_trace


def test_session_info_names_session_and_trace() -> None:
    """Both as they were sent."""
    session_id, trace = mint_session_id(), start_trace()
    message = {"event": "session_info", "session_id": session_id, "traceparent": trace.to_header()}

    assert read_message(json.dumps(message)) == SessionInfo(session_id, trace)


@pytest.mark.parametrize("traceparent", [None, 7, "00-zz", {}])
def test_a_broken_trace_is_no_error(traceparent: object) -> None:
    """The session matters more."""
    session_id = mint_session_id()
    message = {"event": "session_info", "session_id": session_id, "traceparent": traceparent}

    assert read_message(json.dumps(message)) == SessionInfo(session_id, None)


def test_ping_is_a_ping() -> None:
    """Whatever else it carries."""
    assert read_message('{"event": "ping", "at": 7}') == Ping()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the message is not JSON"),
        ("{", "the message is not JSON"),
        ("[" * 60_000, "the message is not JSON"),
        ("9" * 60_000, "the message is not JSON"),
        ("[]", "the message is not a JSON object"),
        ('"ping"', "the message is not a JSON object"),
        ("{}", "the message has no event"),
        ('{"event": 7}', "the message has no event"),
        ('{"type": "session_info"}', "the message has no event"),
        ('{"event": "start_listening"}', "the event is not known"),
        ('{"event": "session_info"}', "session_id is missing or not a string"),
        ('{"event": "session_info", "session_id": null}', "session_id is missing or not a string"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(text: str, error: str) -> None:
    """The same words for the client and the log."""
    with pytest.raises(MessageError) as refused:
        read_message(text)
    assert refused.value.error == error


def test_a_session_id_that_is_not_believed_is_told() -> None:
    """Escaped, for the log; in the client's error is only the reason."""
    with pytest.raises(MessageError) as refused:
        read_message(json.dumps({"event": "session_info", "session_id": "undefined\n\ud800"}))

    assert refused.value.session_id == "undefined\\n\\ud800"
    assert refused.value.event == "session_info"
    assert "undefined" not in refused.value.error


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["event", "session_id", "traceparent", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_json_breaks_it(value: object) -> None:
    """Any value is understood or refused."""
    with suppress(MessageError):
        assert isinstance(read_message(json.dumps(value)), SessionInfo | Ping)


def test_answers_are_events() -> None:
    """The key is `event`, as in what comes in."""
    assert json.loads(protocol.pong()) == {"event": "pong"}
    assert json.loads(protocol.error("why")) == {"event": "error", "error": "why"}
    assert json.loads(protocol.session_confirmed("s", "ws_1", resumed=True, missed=2, hearing=True)) == {
        "event": "session_confirmed",
        "session_id": "s",
        "connection_id": "ws_1",
        "resumed": True,
        "missed": 2,
        "hearing": True,
    }
    assert json.loads(protocol.turn_text(protocol.TRANSCRIPT, "s", "turn_1", "hello")) == {
        "event": "final_transcript",
        "session_id": "s",
        "turn_id": "turn_1",
        "message_id": "turn_1/final_transcript",
        "text": "hello",
    }
