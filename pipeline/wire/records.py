"""What stands in Kafka: topics, groups, headers and the shape of each record.

The key of every record is the session ID, so that one session stays on one partition and in order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.wire.identifiers import escape_for_log, is_turn_id
from pipeline.wire.tracing import TRACEPARENT, TraceContext, parse_traceparent

AUDIO_IN = "audio-in"
AUDIO_OUT = "audio-out"
STT_RESULTS = "stt-results"
SESSION_EVENTS = "session-events"
LLM_REQUESTS = "llm-requests"
TTS_RESULTS = "tts-results"
STAGE_TOPICS = {"stt": STT_RESULTS, "llm": LLM_REQUESTS, "tts": TTS_RESULTS}

ORCHESTRATOR_GROUP = "orchestrator-group-v2"
MEDIA_SERVER_GROUP = "media-server-group"
RESULTS_GROUP = "logging-service-group"

# audio-in carries raw PCM: 16 bits, mono
SAMPLE_RATE_HZ = 16_000
BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000

_INTERRUPTS = "interrupts"
_SESSION_END = "session-end"

# What of a foreign record goes into log lines is no longer than this.
_LONGEST_ID = 64
_LONGEST_NAME = 256
_MOST_DIGITS = 9
# A caller speaks over the replies that are playing and waiting; each has a line of its own.
_MOST_INTERRUPTS = 64

Headers = list[tuple[str, bytes]]
GivenHeaders = Iterable[tuple[str, bytes | None]]


class RecordError(ValueError):
    """A record that is not of the agreed shape; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """One record of audio-in: a piece of one utterance. The last one ends it and may be empty.

    `interrupts` are the turns whose replies the caller speaks over: they stand on the first piece that
    was sent after that was certain.
    """

    session_id: str
    utterance: int
    last: bool
    pcm: bytes
    trace: TraceContext | None = None
    interrupts: tuple[str, ...] = ()

    def to_headers(self) -> Headers:
        """The record's headers."""
        return [
            *_common_headers(self.session_id, self.trace),
            ("utterance", str(self.utterance).encode()),
            ("last", b"1" if self.last else b"0"),
            *([(_INTERRUPTS, ",".join(self.interrupts).encode())] if self.interrupts else []),
        ]


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The last record of a session in audio-in: its media connection is gone, and why. It has no value."""

    session_id: str
    reason: str
    trace: TraceContext | None = None

    def to_headers(self) -> Headers:
        """The record's headers."""
        return [*_common_headers(self.session_id, self.trace), (_SESSION_END, self.reason.encode())]


def read_audio_in(key: bytes | None, value: bytes | None, headers: GivenHeaders) -> AudioChunk | SessionEnd:
    """What a consumed record of audio-in says; raises `RecordError`."""
    headers = list(headers)
    named = _named(headers)
    if _SESSION_END not in named:
        return read_audio_chunk(key, value, headers)
    reason = escape_for_log(named[_SESSION_END])
    return SessionEnd(_read_session(key, named), reason, parse_traceparent(named.get(TRACEPARENT)))


def read_audio_chunk(key: bytes | None, value: bytes | None, headers: GivenHeaders) -> AudioChunk:
    """The chunk of a consumed record; raises `RecordError`."""
    named = _named(headers)
    session_id = _read_session(key, named)
    try:
        utterance = _read_number(named["utterance"])
        last = {"0": False, "1": True}[named["last"]]
    except (KeyError, ValueError) as error:
        raise RecordError("the header utterance or last is missing or malformed") from error
    if value is not None and len(value) % 2:
        raise RecordError(f"{len(value)} bytes are not 16-bit PCM")
    interrupts = tuple(filter(is_turn_id, named.get(_INTERRUPTS, "").split(",")[:_MOST_INTERRUPTS]))
    trace = parse_traceparent(named.get(TRACEPARENT))
    return AudioChunk(session_id, utterance, last, value or b"", trace, interrupts)


@dataclass(frozen=True, slots=True)
class ReplyAudio:
    """One record of audio-out: the whole spoken reply of one turn, raw PCM at 16 kHz."""

    session_id: str
    turn_id: str
    pcm: bytes
    trace: TraceContext | None = None

    def to_headers(self) -> Headers:
        """The record's headers."""
        return [*_common_headers(self.session_id, self.trace), ("turn-id", self.turn_id.encode())]


def read_reply_audio(key: bytes | None, value: bytes | None, headers: GivenHeaders) -> ReplyAudio:
    """The reply of a consumed record; raises `RecordError`."""
    named = _named(headers)
    if not value:
        raise RecordError("reply without audio")
    if len(value) % 2:
        raise RecordError(f"{len(value)} bytes are not 16-bit PCM")
    turn_id = named.get("turn-id", "")
    if turn_id and not is_turn_id(turn_id):
        raise RecordError("the header turn-id is no turn's")
    return ReplyAudio(_read_session(key, named), turn_id, value, parse_traceparent(named.get(TRACEPARENT)))


@dataclass(frozen=True, slots=True)
class StageLog:
    """One record of a logging topic: what one stage of one turn did, and how long it took."""

    session_id: str
    turn_id: str
    stage: str
    latency_ms: float
    data: Mapping[str, Any]
    trace: TraceContext | None = None

    def to_headers(self) -> Headers:
        """The record's headers."""
        return [*_common_headers(self.session_id, self.trace), ("stage", self.stage.encode())]

    def to_value(self) -> bytes:
        """The record's JSON."""
        body = {
            "session_id": self.session_id,
            "turn_id": self.turn_id,
            "stage": self.stage,
            "event_timestamp": _now(),
            "latency_ms": round(self.latency_ms, 1),
            "data": dict(self.data),
        }
        return json.dumps(body, sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """One record of session-events: what one orchestrator tells the others about a session.

    Attributes:
        kind: ``bound``, ``lost`` (the connection broke), ``ended`` (the caller hung up), ``reply`` (a
            message for the replica `to`, which has the socket), ``taken`` (what became of it), ``notice``
            (a message for it that nobody answers) or ``conversation`` (what was said and answered last).
        replica: who tells it.
        connection_id: the connection that it is about.
        to: who is to deliver a reply.
        turn_id: the turn of a reply.
        message_type: the type of a reply.
        text: the message of a reply, or the conversation.
        delivered: whether a reply was handed to the socket.
        at_ms: when a session was bound, by the wall's clock: it may be told long after; 0 where it was not.
    """

    kind: str
    session_id: str
    replica: str
    connection_id: str = ""
    to: str = ""
    turn_id: str = ""
    message_type: str = ""
    text: str = ""
    delivered: bool = False
    at_ms: int = 0
    trace: TraceContext | None = None

    def to_headers(self) -> Headers:
        """The record's headers."""
        return _common_headers(self.session_id, self.trace)

    def to_value(self) -> bytes:
        """The record's JSON."""
        body = {name: getattr(self, name) for name in _SESSION_EVENT_FIELDS}
        return json.dumps({name: value for name, value in body.items() if value}, sort_keys=True).encode()


_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_SESSION_EVENT_TYPES = {"delivered": bool, "at_ms": int}
_SESSION_EVENT_FIELDS = tuple(name for name in SessionEvent.__dataclass_fields__ if name != "trace")


def read_session_event(key: bytes | None, value: bytes | None, headers: GivenHeaders) -> SessionEvent:
    """The event of a consumed record; raises `RecordError`.

    Fields that are not known are those of a later version, whose replicas run beside this one for a while.
    """
    named = _named(headers)
    session_id = _read_session(key, named)
    try:
        body = json.loads(value or b"")
        known = {name: body[name] for name in _SESSION_EVENT_FIELDS if name in body}
        event = SessionEvent(**known, trace=parse_traceparent(named.get(TRACEPARENT)))
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordError("not a session event") from error
    if event.session_id != session_id or not all(_is_fit(name, value) for name, value in known.items()):
        raise RecordError("not a session event, or of another session than its key")
    return event


def _is_fit(name: str, value: object) -> bool:
    """Whether a field of a session event is what it should be, and fit for a socket or a log line."""
    if not isinstance(value, str):
        return isinstance(value, _SESSION_EVENT_TYPES.get(name, str))
    is_short = name == "text" or len(value) <= _LONGEST_NAME
    # JSON can write half a character, which nothing behind this could pass on
    return name not in _SESSION_EVENT_TYPES and is_short and not _HALF_CHARACTER.search(value)


def _common_headers(session_id: str, trace: TraceContext | None) -> Headers:
    headers = [("session-id", session_id.encode()), ("timestamp", _now().encode())]
    if trace is not None:
        headers.append((TRACEPARENT, trace.to_header().encode()))
    return headers


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_number(text: str) -> int:
    """A count as this pipeline writes it; raises `ValueError`."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError("not a count")
    return int(text)


def _named(headers: GivenHeaders) -> dict[str, str]:
    """By name; foreign producers write headers without a value as well."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in headers}


def _read_session(key: bytes | None, headers: Mapping[str, str]) -> str:
    """Not by the rule for what clients bring: records may be older than that allows."""
    session_id = (key or b"").decode("utf-8", "replace")
    if not session_id:
        raise RecordError("record without a key: no session")
    if len(session_id) > _LONGEST_ID or not session_id.isprintable():
        raise RecordError("the key is no session ID")
    if headers.get("session-id", session_id) != session_id:
        raise RecordError("the key and the header session-id differ")
    return session_id
