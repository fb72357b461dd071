"""The session as a few steps between parts: what the terminal draws and Mermaid shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diag.model.diagnosis import Diagnosis
from diag.model.ledger import Stage
from diag.model.session import Event, Session, Turn, TurnOutcome
from diag.render.durations import describe_duration
from diag.render.neutral import short_id

MEDIA, ORCHESTRATOR, STT, LLM, TTS, CALLER = "media", "orch", "stt", "llm", "tts", "caller"
LANES = (MEDIA, ORCHESTRATOR, STT, LLM, TTS, CALLER)

_LANE_OF_SIDE = {"media": MEDIA, "orchestrator": ORCHESTRATOR, "stt": STT, "llm": LLM, "tts": TTS}
_DONE = {"stt": "heard", "llm": "answered", "tts": "spoken"}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the ladder.

    Attributes:
        lane: where it happens, or where it begins.
        to: the lane that it reaches, empty where it stays.
        took: how long that was, in words; empty where it is not known.
        bad: this is where something went wrong.
    """

    time_ns: int
    lane: str
    text: str
    to: str = ""
    took: str = ""
    bad: bool = False


def build_ladder(diagnosis: Diagnosis) -> tuple[Step, ...]:
    """The session's steps in order of time. That a reply is missing is said only if it was judged."""
    session = diagnosis.session
    judged = any(finding.slug == "turn-no-reply" for finding in diagnosis.findings)
    steps = [step for event in session.events if (step := _to_step(event, session)) is not None]
    for turn in session.turns:
        steps.extend(_turn_steps(turn, judged=judged))
    return tuple(sorted(steps, key=lambda step: step.time_ns))


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
    "proc.panic": ("panic", True),
    "proc.handler_panic": ("panic in a handler", True),
}


def _to_step(event: Event, session: Session) -> Step | None:
    lane = _LANE_OF_SIDE.get(event.side, ORCHESTRATOR)
    if event.name == "whip.session":
        origin = "from header" if event.value("origin") == "header" else "minted here"
        return Step(event.time_ns, lane, f"WHIP offer, ID {origin}")
    if event.name == "ws.bind":
        bound = next(iter(event.entry.ids_in("session")), "")
        return Step(event.time_ns, lane, f"bound to {short_id(bound)}", bad=bound != session.id)
    if event.name in _PLAIN_STEPS:
        text, bad = _PLAIN_STEPS[event.name]
        return Step(event.time_ns, lane, text, bad=bad)
    return None


def _turn_steps(turn: Turn, *, judged: bool) -> Iterator[Step]:
    lane = _LANE_OF_SIDE.get(turn.trigger.side, ORCHESTRATOR)
    yield Step(turn.start_ns, lane, "speech ends" if turn.trigger.name != "turn.start" else "turn begins")
    for stage in turn.stages:
        yield _stage_step(stage)
    yield from _delivery_steps(turn)
    if judged:
        yield from _missing_steps(turn)


def _stage_step(stage: Stage) -> Step:
    lane = stage.name if stage.name in LANES else ORCHESTRATOR
    done = stage.state == "complete"
    text = _DONE.get(stage.name, stage.name) if done else f"{stage.name} {stage.state}"
    at = stage.start_ns if stage.end_ns is None else stage.end_ns
    return Step(at, ORCHESTRATOR, text, to=lane, took=describe_duration(stage.took), bad=not done)


def _delivery_steps(turn: Turn) -> Iterator[Step]:
    for delivery in turn.deliveries:
        if delivery.name == "reply.played":
            yield Step(delivery.time_ns, MEDIA, "audio sent", to=CALLER)
        else:
            yield Step(delivery.time_ns, ORCHESTRATOR, "reply sent", to=CALLER)


def _missing_steps(turn: Turn) -> Iterator[Step]:
    if turn.outcome is TurnOutcome.UNANSWERED:
        last = turn.withheld[-1] if turn.withheld else turn.last_step
        ids = last.entry.ids_in("session")
        text = f"{short_id(ids[0])}: no socket" if turn.withheld and ids else "no reply"
        yield Step(last.time_ns, ORCHESTRATOR, text, to=CALLER, bad=True)
    elif turn.outcome is TurnOutcome.EMPTY:
        yield Step(turn.last_step.time_ns, ORCHESTRATOR, "no words heard", bad=True)
