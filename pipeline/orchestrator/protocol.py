"""The messages of the WebSocket, as text in and out. Pure; whatever a client sends has an answer.

In: ``{"event": "session_info", "session_id": ..., "traceparent": ...?, "last_message_id": ...?}`` and
``{"event": "ping"}``. A client that comes back names the last message that it got, or the empty text if
there was none; ``session_confirmed`` then tells how many it missed, which follow, or null if nobody knows.
Out: ``session_confirmed``, ``pong``, ``final_transcript``, ``llm_response_text``, ``turn_empty``,
``turn_failed``, ``turn_interrupted``, ``session_ended``, ``hearing`` and ``error``. Each turn ends for its
page with a reply, with ``turn_empty`` (no words were heard in it), or with ``turn_failed``, which says why
there is no reply, or only a written one. Where no speech arrives at all there are no turns: ``hearing`` tells
that, and that it is over; ``session_confirmed`` has it, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipeline.orchestrator.failures import Failure
from pipeline.orchestrator.sent import message_id_of
from pipeline.wire.identifiers import check_session_id, escape_for_log
from pipeline.wire.tracing import TraceContext, parse_traceparent

LARGEST_BYTES = 64 * 1024

TRANSCRIPT = "final_transcript"
REPLY_TEXT = "llm_response_text"
REPLY_AUDIO = "reply_audio"
TURN_EMPTY = "turn_empty"
TURN_FAILED = "turn_failed"

_EVENT_CHARS = 40


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """The client says whose it is."""

    session_id: str
    trace: TraceContext | None
    last_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """The client asks whether anybody is there."""


class MessageError(ValueError):
    """A message that is not understood.

    Attributes:
        error: why not, in words for the client and the log.
        event: the message's event, as far as it had one; escaped.
        session_id: the session ID that was not believed; escaped.
    """

    def __init__(self, error: str, event: str | None = None, session_id: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.event = event
        self.session_id = session_id


def read_message(text: str) -> SessionInfo | Ping:
    """The message in `text`; raises `MessageError`."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError("the message is not JSON") from error
    if not isinstance(fields, dict):
        raise MessageError("the message is not a JSON object")
    event = fields.get("event")
    if event == "session_info":
        return _read_session_info(fields)
    if event == "ping":
        return Ping()
    if not isinstance(event, str):
        raise MessageError("the message has no event")
    raise MessageError("the event is not known", escape_for_log(event, _EVENT_CHARS))


def _read_session_info(fields: dict[str, object]) -> SessionInfo:
    session_id, traceparent = fields.get("session_id"), fields.get("traceparent")
    if not isinstance(session_id, str):
        raise MessageError("session_id is missing or not a string", "session_info")
    refusal = check_session_id(session_id)
    if refusal is not None:
        raise MessageError(
            f"session_id is not valid: {refusal.reason}", "session_info", escape_for_log(session_id)
        )
    last = fields.get("last_message_id")
    return SessionInfo(
        session_id,
        parse_traceparent(traceparent if isinstance(traceparent, str) else None),
        last if isinstance(last, str) else None,
    )


def session_confirmed(
    session_id: str, connection_id: str, *, resumed: bool, missed: int | None, hearing: bool
) -> str:
    """The answer to `SessionInfo`; `missed` messages follow."""
    about = {"session_id": session_id, "connection_id": connection_id}
    return _event("session_confirmed", **about, resumed=resumed, missed=missed, hearing=hearing)


def pong() -> str:
    """The answer to `Ping`."""
    return _event("pong")


def turn_text(message_type: str, session_id: str, turn_id: str, text: str) -> str:
    """A text of one turn: `TRANSCRIPT`, `REPLY_TEXT` or `TURN_EMPTY`."""
    message_id = message_id_of(turn_id, message_type)
    return _event(message_type, session_id=session_id, turn_id=turn_id, message_id=message_id, text=text)


def turn_failed(session_id: str, turn_id: str, failure: Failure) -> str:
    """What the caller said has no reply, or no spoken one, and will have none."""
    message_id = message_id_of(turn_id, TURN_FAILED)
    about = {"session_id": session_id, "turn_id": turn_id, "message_id": message_id}
    return _event(TURN_FAILED, **about, stage=failure.stage, error=failure.reason)


def turn_interrupted(session_id: str, turn_id: str) -> str:
    """The caller has spoken over the reply of a turn."""
    return _event("turn_interrupted", session_id=session_id, turn_id=turn_id)


def session_ended(session_id: str, reason: str) -> str:
    """The media connection of a session is gone."""
    return _event("session_ended", session_id=session_id, reason=reason)


def hearing(*, able: bool) -> str:
    """Whether what callers say arrives: not while Kafka is away."""
    return _event("hearing", able=able)


def error(text: str) -> str:
    """The answer to what was not understood."""
    return _event("error", error=text)


def _event(event: str, **fields: str | int | None) -> str:
    return json.dumps({"event": event, **fields})
