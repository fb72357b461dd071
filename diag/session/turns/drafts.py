"""A turn in the making: its steps so far, and which step it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from diag.model.catalogue import STAGES
from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.session.events import STAGE_EVENTS, stage_of, state_of
from diag.session.order.timing import Timing

TRIGGERS = ("turn.trigger", "speech.end")
SPEECH_ENDED = (*TRIGGERS, "turn.audio_data", "media.listen")

_ENDS = ("turn.end", "turn.dropped")
_BEFORE_WORK = (*SPEECH_ENDED, "media.publish", "kafka.consume")
_FRUITLESS = ("turn.empty_transcript", "turn.empty_audio", "turn.skipped")

_TAKEN_UP_NS = 10 * NS_PER_S
"""Clients switch listening off and then send the last audio, or ask for the answer."""

_NEXT_STAGE_NS = 5 * NS_PER_S
"""Between two stages of a turn pass milliseconds: one that stood still for longer may have been cut off."""

_ATTEMPT_NS = 120 * NS_PER_S
"""The reference orchestrator gives a stage two minutes; who takes longer will not answer first."""


@dataclass(slots=True, eq=False)
class Draft:
    """A turn in the making.

    Attributes:
        stages: stage -> since when it runs, None once it has ended.
        failed: those of them whose last attempt failed.
        interrupted: a line says that it was broken off: what is still to come is another turn's.
        fruitless: a line says that there was nothing to answer: no further stage begins in it.
        ended: its work is over.
    """

    turn_id: str = ""
    utterance: str = ""
    steps: list[Event] = field(default_factory=list)
    stages: dict[str, int | None] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    interrupted: bool = False
    fruitless: bool = False
    ended: bool = False

    def first(self, *names: str) -> Event | None:
        """Its first step of one of these names."""
        return next((step for step in self.steps if step.name in names), None)

    def add(self, step: Event) -> None:
        """Take a step, and note where its stage stands."""
        self.steps.append(step)
        if step.name not in STAGE_EVENTS:
            self.interrupted = self.interrupted or step.name == "turn.interrupted"
            self.fruitless = self.fruitless or step.name in _FRUITLESS
            self.ended = self.ended or step.name in _ENDS
            return
        stage, state = stage_of(step), state_of(step)
        if state == "executing":
            self.stages.setdefault(stage, step.time_ns)
        elif state in ("complete", "error") or step.name == "stage.done":
            self.stages[stage] = None
            (self.failed.add if state == "error" else self.failed.discard)(stage)

    def absorb(self, other: Draft, timing: Timing) -> None:
        """Take the steps of a draft that is the same turn."""
        steps, self.utterance = sorted((*other.steps, *self.steps), key=timing.ns), other.utterance
        self.steps, self.stages, self.failed = [], {}, set()
        for step in steps:
            self.add(step)

    @property
    def only_silence(self) -> bool:
        """Nothing is known of it but that listening was switched off."""
        return all(step.name == "media.listen" for step in self.steps)

    @property
    def began_work(self) -> bool:
        """More is known than that speech ended."""
        return any(step.name not in _BEFORE_WORK for step in self.steps)

    def is_fresh(self, event: Event, timing: Timing) -> bool:
        """Whether what begins with `event` may be this very turn; silence is taken up at once or never."""
        return not self.only_silence or timing.ns(event) - timing.ns(self.steps[-1]) <= _TAKEN_UP_NS

    def waits_for(self, step: Event, *, past_failures: bool = False) -> bool:
        """Whether this is the next step of its course; `past_failures`: also behind a stage that failed."""
        stage, state = stage_of(step), state_of(step)
        if state in ("complete", "error"):
            since = self.stages.get(stage)
            return since is not None and step.time_ns - since <= _ATTEMPT_NS
        before = STAGES[: STAGES.index(stage)]
        stopped = self.fruitless or (not past_failures and not self.failed.isdisjoint(before))
        return stage not in self.stages and not stopped and all(map(self._is_past, before))

    def _is_past(self, stage: str) -> bool:
        """A stage that never began is none of this turn's: a text needs no recognition."""
        return self.stages.get(stage) is None


def find_waiting(step: Event, running: Sequence[Draft]) -> Draft | None:
    """The oldest turn that waits for `step`.

    One that stood still before it, or behind a stage that failed, is left where another one waits.
    """
    going_on = [one for one in running if step.time_ns - one.steps[-1].time_ns <= _NEXT_STAGE_NS]
    for among, past_failures in ((going_on, False), (running, False), (running, True)):
        waiting = (one for one in among if one.waits_for(step, past_failures=past_failures))
        if (found := next(waiting, None)) is not None:
            return found
    return None
