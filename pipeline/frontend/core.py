"""What the caller notices, without I/O: texts and 20 ms frames in, the state of the turn out."""

from __future__ import annotations

import secrets
import string
import time
from array import array
from dataclasses import dataclass
from typing import Any

# A frame is audible from this peak on (of 32767): well above what Opus makes of silence.
AUDIBLE_PEAK = 500
# After so much silence a reply is over: longer than a pause within a sentence.
REPLY_GAP_MS = 800

# Who interrupts has heard so much of the reply, and hears it at this moment.
_BEFORE_INTERRUPTION_S = 0.4
_SOUNDING_S = 0.1

_ALPHABET = string.digits + string.ascii_lowercase


def mint_browser_session_id(now_ms: int | None = None) -> str:
    """A session ID as browsers mint it: milliseconds since the epoch and nine of ``[0-9a-z]``."""
    millis = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return f"session_{millis:013d}_{''.join(secrets.choice(_ALPHABET) for _ in range(9))}"


def is_audible(frame: bytes) -> bool:
    """Whether there is a sound in a frame of 16-bit PCM."""
    samples = array("h", frame)
    return max(map(abs, samples), default=0) >= AUDIBLE_PEAK


@dataclass(frozen=True, slots=True)
class TurnReport:
    """One sentence and what came of it.

    Attributes:
        said: the sentence.
        heard: the transcript that came back; None if none did.
        reply: the text of the reply; None if none came.
        reply_audio_ms: from the first to the last audible frame of the reply; 0 if none was heard.
        waited_ms: from the end of the sentence until the reply had both text and sound, or until the
            caller was told that it will not, or gave up.
        silenced_ms: how long the reply was still heard after the caller began to speak over it; None if
            it was heard to its end.
        failed: why there is no reply, or no spoken one, as the orchestrator says; None if it says nothing.
    """

    said: str
    heard: str | None
    reply: str | None
    reply_audio_ms: int
    waited_ms: int
    silenced_ms: int | None = None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class CallReport:
    """A whole call; `connected_ms` is None if it never was connected."""

    session_id: str
    socket_session_id: str
    trace_id: str
    connected_ms: int | None
    turns: tuple[TurnReport, ...]


class ReplyWatch:
    """Follows the reply to one sentence. Times are in seconds, of any clock that only goes forward.

    Attributes:
        reply: its text; None before it came.
        failed: why none will come, or no sound of it; None where nothing says so.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        self._heard: str | None = None
        self.reply: str | None = None
        self.failed: str | None = None
        self._failed_at: float | None = None
        self._text_at: float | None = None
        self._first_sound_at: float | None = None
        self._last_sound_at: float | None = None
        self._spoken_over_at: float | None = None

    def note_message(self, message: dict[str, Any], now_s: float) -> None:
        """A message of the socket."""
        event = message.get("event")
        text = message.get("error" if event == "turn_failed" else "text")
        if not isinstance(text, str):
            return
        if event == "turn_failed":
            self.failed, self._failed_at = text, now_s
        elif event == "turn_empty":
            self.failed = text  # it may have been of a noise before the sentence
        elif event == "final_transcript":
            self._heard = text
        elif event == "llm_response_text":
            self.reply, self._text_at, self.failed = text, now_s, None

    def note_frame(self, *, audible: bool, now_s: float) -> None:
        """20 ms of the incoming track."""
        if audible:
            self._first_sound_at = self._first_sound_at or now_s
            self._last_sound_at = now_s

    @property
    def answered_at(self) -> float | None:
        """When the reply had both text and sound; None before."""
        if self._text_at is None or self._first_sound_at is None:
            return None
        return max(self._text_at, self._first_sound_at)

    @property
    def will_not_come(self) -> bool:
        """Whether the orchestrator has said that there is nothing to wait for."""
        return self._failed_at is not None

    def note_spoken_over(self, now_s: float) -> None:
        """The caller begins to speak although the reply is not over."""
        self._spoken_over_at = now_s

    def can_be_spoken_over(self, now_s: float) -> bool:
        """Whether the reply has both text and so much sound, or will not come."""
        if self.will_not_come:
            return True
        if self.answered_at is None or self._last_sound_at is None:
            return False
        sounding = now_s - self._last_sound_at < _SOUNDING_S
        return sounding and now_s - self.answered_at >= _BEFORE_INTERRUPTION_S

    def is_over(self, now_s: float) -> bool:
        """Whether the reply has been heard to its end, or will not come."""
        if self.will_not_come:
            return True
        if self.answered_at is None or self._last_sound_at is None:
            return False
        return (now_s - self._last_sound_at) * 1000 >= REPLY_GAP_MS

    def to_report(self, spoken_at: float, gave_up_at: float) -> TurnReport:
        """What is to be said of a sentence that ended at `spoken_at`."""
        until = self.answered_at or self._failed_at or gave_up_at
        sound_s = (self._last_sound_at or 0.0) - (self._first_sound_at or 0.0)
        return TurnReport(
            said=self._said,
            heard=self._heard,
            reply=self.reply,
            reply_audio_ms=round(sound_s * 1000),
            waited_ms=max(0, round((until - spoken_at) * 1000)),
            silenced_ms=self._measure_silencing(),
            failed=self.failed,
        )

    def _measure_silencing(self) -> int | None:
        if self._spoken_over_at is None or self._last_sound_at is None:
            return None
        return max(0, round((self._last_sound_at - self._spoken_over_at) * 1000))
