"""A turn: from the end of the caller's speech to the reply, or to where it stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from diag.model.events import Event
from diag.model.ledger import Duration, Ledger, Stamp
from diag.model.values import value


@value
class Stage:
    """One attempt of a stage: ``stt``, ``llm``, ``tts``; `ended` None while it runs or if it never ended."""

    name: str
    begun: Stamp
    ended: Stamp | None
    state: str

    @property
    def start_ns(self) -> int:
        """Its beginning, as it was written."""
        return self.begun.raw_ns

    @property
    def end_ns(self) -> int | None:
        """Its end, as it was written."""
        return None if self.ended is None else self.ended.raw_ns

    @property
    def took(self) -> Duration | None:
        """How long it took, and how sure that is."""
        return None if self.ended is None else Duration.between(self.begun, self.ended)

    @property
    def ms(self) -> float | None:
        """How long it took, by adjusted times."""
        return None if self.took is None else self.took.ms


class TurnOutcome(StrEnum):
    """What the caller got."""

    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    REPLAYED = "replayed"
    UNANSWERED = "unanswered"
    EMPTY = "empty transcript"
    ABANDONED = "abandoned"
    OPEN = "open"

    @property
    def is_reply(self) -> bool:
        """Whether a reply went out, or the caller did not want to hear it: no silence."""
        return self in (TurnOutcome.ANSWERED, TurnOutcome.INTERRUPTED, TurnOutcome.REPLAYED)


@value
class Saying:
    """Words that a line of a turn carries: a pseudonym that is the same for the same text, and its length."""

    text: str
    length: int
    event: Event


@dataclass(frozen=True, slots=True)
class Words:
    """What was said in a turn, as far as it is logged: only whether two texts are one can be told.

    Attributes:
        heard: the transcript.
        asked: the text that the LLM got.
        answered: the reply that the LLM gave, cleaned.
        spoken: the text that the TTS got; None if it got it in pieces.
    """

    heard: Saying | None = None
    asked: Saying | None = None
    answered: Saying | None = None
    spoken: Saying | None = None


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller spoke over a reply, or before it came, and the turn was broken off.

    Attributes:
        by: the line that says so, or the speech that it is concluded from.
        proved: a line says so; else it is only likely.
    """

    by: Event
    proved: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """An answer to other words than the turn's own.

    Attributes:
        of_ns: the start of the earlier turn whose answer it was; None if that was not read.
        lines: what shows it, this turn's first.
        proved: a text that must be this turn's own is not; else it is only likely.
        how: in words, for a sentence that begins "the caller got an old answer:".
    """

    of_ns: int | None
    lines: tuple[Event, ...]
    proved: bool
    how: str


@dataclass(frozen=True, slots=True)
class Turn:
    """From the end of the caller's speech to the reply, or to where it stopped.

    Attributes:
        turn_id: empty where the services give turns no ID; the join is then by order.
        trigger: the event that ended the speech.
        start: the trigger's time.
        end: the end of the turn's work, else its last event.
        deliveries: text or audio of the reply that reached the caller.
        last_step: the last event that belongs to the turn.
        failure: the last of its steps that failed.
        caller_left: with which event the caller was gone before the turn had come to an end.
        interruption: by what it was broken off; where nothing of it had reached the caller and no line says
            that it was, its outcome is still unanswered.
        replay: whose answer it really was.
        steps: every event of it, in order.
    """

    turn_id: str
    trigger: Event
    start: Stamp
    end: Stamp | None
    stages: tuple[Stage, ...]
    outcome: TurnOutcome
    deliveries: tuple[Event, ...]
    last_step: Event
    ledger: Ledger | None = None
    withheld: tuple[Event, ...] = ()
    failure: Event | None = None
    caller_left: Event | None = None
    interruption: Interruption | None = None
    replay: Replay | None = None
    words: Words = field(default_factory=Words)
    steps: tuple[Event, ...] = ()

    @property
    def start_ns(self) -> int:
        """Its start, as it was written."""
        return self.start.raw_ns

    @property
    def end_ns(self) -> int | None:
        """Its end, as it was written."""
        return None if self.end is None else self.end.raw_ns

    @property
    def total_ms(self) -> float | None:
        """The whole turn, by adjusted times."""
        return None if self.ledger is None else self.ledger.total.ms

    def first(self, *names: str) -> Event | None:
        """Its first event of one of these names."""
        return next((step for step in self.steps if step.name in names), None)

    @property
    def voice_lost(self) -> Event | None:
        """The line with which its reply's audio was lost; None if none was, or audio came by another way."""
        if any(step.name == "reply.played" or _is_spoken(step) for step in self.deliveries):
            return None
        lost = next((step for step in self.steps if _loses_voice(step)), None)
        if self.first("reply.published"):
            return None if lost and lost.name.startswith("bcast.") else lost
        return lost or self._unsent_voice()

    def _unsent_voice(self) -> Event | None:
        """The last message after the speech was made, if none of those went out and earlier ones did."""
        made = max((one.end_ns for one in self.stages if one.name == "tts" and one.end_ns), default=None)
        if made is None or not any(step.time_ns < made for step in self.deliveries):
            return None
        after = [step for step in self.steps if step.time_ns >= made and step.name.startswith("bcast.")]
        return after[-1] if after and all(step.name == "bcast.call" for step in after) else None

    @property
    def unaccounted_ms(self) -> float | None:
        """What no stage accounts for; negative where stages ran side by side for longer than that."""
        total = self.total_ms
        return None if total is None else total - sum(stage.ms or 0.0 for stage in self.stages)


def _loses_voice(step: Event) -> bool:
    """Whether audio of a reply was lost by this line; a text may be withheld and the audio arrive."""
    return step.name in ("reply.dropped", "reply.publish_failed") or (
        step.name in ("bcast.withheld", "bcast.failed") and _is_spoken(step)
    )


def _is_spoken(step: Event) -> bool:
    """Whether the message that a line speaks of carries audio."""
    return "audio" in step.value("message_type", "type").lower()
