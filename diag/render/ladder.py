"""The session as a few steps between parts: what the terminal draws and Mermaid shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from diag.model.diagnosis import Diagnosis
from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.ledger import Duration
from diag.model.session import Session
from diag.model.turns import Stage, Turn, TurnOutcome
from diag.render.neutral import short_id

MEDIA, ORCHESTRATOR, STT, LLM, TTS, CALLER = "media", "orch", "stt", "llm", "tts", "caller"
LANES = (MEDIA, ORCHESTRATOR, STT, LLM, TTS, CALLER)

_LANE_OF_SIDE = {"media": MEDIA, "orchestrator": ORCHESTRATOR, "stt": STT, "llm": LLM, "tts": TTS}
_BY_POD = "pod"  # the rule of a line that is tied to the session by its pod alone
_ONE_START_NS = 5 * NS_PER_S
_DONE = {"stt": "heard", "llm": "answered", "tts": "spoken"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the ladder.

    Attributes:
        time_ns: as it was written.
        at_ns: by the reference's clock, where a difference is proved: its place.
        lane: where it happens, or where it begins.
        to: the lane that it reaches, empty where it stays.
        took: how long, where that is known.
        bad: this is where something went wrong.
    """

    time_ns: int
    at_ns: int
    lane: str
    text: str
    to: str = ""
    took: Duration | None = None
    bad: bool = False


def build_ladder(diagnosis: Diagnosis) -> tuple[Step, ...]:
    """The session's steps in order. That a reply is missing is said only if it was judged."""
    session = diagnosis.session
    judged = judges_replies(diagnosis)
    writer = _Writer(session)
    steps = [step for event in session.events if (step := writer.plain(event)) is not None]
    for turn in session.turns:
        steps.extend(writer.turn(turn, judged=judged))
    steps.extend(_process_steps(writer, session))
    return tuple(sorted(steps, key=lambda step: step.at_ns))


def judges_replies(diagnosis: Diagnosis) -> bool:
    """Whether it was found that replies are missing: a check that could not run says nothing."""
    return any(finding.slug == "turn-no-reply" for finding in diagnosis.findings)


def _process_steps(writer: _Writer, session: Session) -> Iterator[Step]:
    """What became of the processes of its pods while it ran: lines without an ID, so `~`.

    A process writes several lines as it starts; the first of them is enough. What befalls a pod that serves
    several sessions befalls each of them.
    """
    told: dict[tuple[str, str], int] = {}
    for one in session.attributed:
        event, step = one.event, writer.plain(one.event)
        if step is None or not event.name.startswith("proc.") or (one.ambiguous and one.rule != _BY_POD):
            continue
        key = event.name, event.entry.pod
        if key not in told or event.time_ns - told[key] > _ONE_START_NS:
            yield replace(step, text=f"~ {step.text}")
        told[key] = event.time_ns


# canonical event -> what the ladder says, and whether that is bad; the lane is the writer's
_PLAIN_STEPS = {
    "ice.connected": ("media connected", False),
    "ice.failed": ("ICE failed", True),
    "ice.lost": ("media lost", True),
    "media.cleanup": ("media ended", False),
    "media.publish_failed": ("audio not published", True),
    "reply.publish_failed": ("reply not published", True),
    "kafka.reader_error": ("reply reader failed", True),
    "ws.open": ("WebSocket opened", False),
    "ws.close": ("WebSocket closed", False),
    "media.listen_failed": ("listening refused", True),
    "proc.start": ("process starts", True),
    "proc.stop": ("process is shut down", True),
    "proc.panic": ("panic", True),
    "proc.handler_panic": ("panic in a handler", True),
}


class _Writer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def plain(self, event: Event) -> Step | None:
        """The step of an event that is none of a turn's; None if it is not worth a line."""
        if event.name == "whip.session":
            origin = "from header" if event.value("origin") == "header" else "minted here"
            return self._step(event, f"WHIP offer, ID {origin}")
        if event.name == "ws.bind":
            bound = next(iter(event.entry.ids_in("session")), "")
            if not bound:  # its ID stands under a key that no catalogue knows
                return self._step(event, "bound")
            return self._step(event, f"bound to {short_id(bound)}", bad=bound != self._session.id)
        if event.name in _PLAIN_STEPS:
            text, bad = _PLAIN_STEPS[event.name]
            return self._step(event, text, bad=bad)
        return None

    def turn(self, turn: Turn, *, judged: bool) -> Iterator[Step]:
        """The steps of a turn."""
        yield self._step(turn.trigger, "speech ends" if turn.trigger.name != "turn.start" else "turn begins")
        yield from map(_stage_step, turn.stages)
        for delivery in turn.deliveries:
            played = delivery.name == "reply.played"
            lane, text = (MEDIA, "audio sent") if played else (ORCHESTRATOR, "reply sent")
            yield self._step(delivery, text, lane=lane, to=CALLER)
        if turn.interruption is not None and turn.outcome is TurnOutcome.INTERRUPTED:
            text = "interrupted" if turn.interruption.proved else "perhaps interrupted"
            yield self._step(turn.interruption.by, text)
        if turn.replay is not None:
            text = "an old answer" if turn.replay.proved else "perhaps an old answer"
            yield self._step(turn.replay.lines[0], text, to=CALLER, bad=True)
        if judged:
            yield from self._missing(turn)

    def _missing(self, turn: Turn) -> Iterator[Step]:
        if turn.outcome is TurnOutcome.UNANSWERED:
            last = turn.withheld[-1] if turn.withheld else turn.last_step
            ids = last.entry.ids_in("session")
            text = f"{short_id(ids[0])}: no socket" if turn.withheld and ids else "no reply"
            yield self._step(last, text, lane=ORCHESTRATOR, to=CALLER, bad=True)
        elif turn.outcome is TurnOutcome.EMPTY:
            yield self._step(turn.last_step, "no words heard", lane=ORCHESTRATOR, bad=True)

    def _step(self, event: Event, text: str, lane: str = "", to: str = "", *, bad: bool = False) -> Step:
        at_ns = self._session.clocks.adjust(event.entry) or event.time_ns
        lane = lane or _LANE_OF_SIDE.get(event.side, ORCHESTRATOR)
        return Step(event.time_ns, at_ns, lane, text, to, bad=bad)


def _stage_step(stage: Stage) -> Step:
    lane = stage.name if stage.name in LANES else ORCHESTRATOR
    done = stage.state == "complete"
    text = _DONE.get(stage.name, stage.name) if done else f"{stage.name} {stage.state}"
    at = stage.ended or stage.begun
    return Step(at.raw_ns, at.ns, ORCHESTRATOR, text, to=lane, took=stage.took, bad=not done)
