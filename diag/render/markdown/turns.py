"""The session's turns: a row each, with the ledger of its time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add

from diag.model.instants import format_clock
from diag.model.ledger import NO_STAGES, Duration, Stamp
from diag.model.session import Session, Turn
from diag.render.durations import describe_duration
from diag.render.markdown.evidence import EvidenceIndex


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn's row: its stages and what they do not account for, which sum to the total.

    Attributes:
        doubted: clocks leave some of its durations open.
    """

    start: str
    stt: str
    llm: str
    tts: str
    other: str
    total: str
    outcome: str
    evidence: str
    doubted: bool


def build_turn_rows(session: Session, index: EvidenceIndex) -> tuple[TurnRow, ...]:
    """The ledger of latencies, a row a turn."""
    return tuple(_to_turn_row(turn, index) for turn in session.turns)


def _to_turn_row(turn: Turn, index: EvidenceIndex) -> TurnRow:
    told = (turn.trigger, *turn.deliveries[:1], *turn.withheld[-1:], turn.last_step)
    return TurnRow(
        start=_describe_stamp(turn.start),
        stt=_describe_stage(turn, "stt"),
        llm=_describe_stage(turn, "llm"),
        tts=_describe_stage(turn, "tts"),
        other=_describe_rest(turn),
        total=describe_duration(turn.total) or "-",
        outcome=turn.outcome.value if turn.caller_left is None else f"{turn.outcome.value}; the caller left",
        evidence=index.cite(event.to_evidence() for event in told),
        doubted=any(not one.is_exact for one in (turn.total, *(s.took for s in turn.stages)) if one),
    )


def _describe_stamp(stamp: Stamp) -> str:
    """As written, and in brackets by the clock of the reference where that is proved to differ."""
    raw = format_clock(stamp.raw_ns)
    return raw if stamp.ns == stamp.raw_ns else f"{raw} ({format_clock(stamp.ns)})"


def _describe_stage(turn: Turn, name: str) -> str:
    """What a stage took in all its attempts, or the state in which it stopped."""
    attempts = [stage for stage in turn.stages if stage.name == name]
    if not attempts:
        return "-"
    unfinished = next((stage.state for stage in attempts if stage.ended is None), "")
    took = unfinished or describe_duration(_sum([stage.took for stage in attempts if stage.took]))
    return took if len(attempts) == 1 else f"{took}, {len(attempts)} attempts"


def _describe_rest(turn: Turn) -> str:
    """``140 ms: 80 waiting, 20 between, 40 delivery``: what no stage accounts for, and where it lies."""
    parts = [part for part in turn.parts if part.name in NO_STAGES]
    if not parts:
        return "-"
    places = {name: sum(part.took.ms for part in parts if part.name == name) for name in NO_STAGES}
    named = ", ".join(f"{ms:.0f} {name}" for name, ms in places.items() if round(ms))
    took = describe_duration(_sum([part.took for part in parts]))
    return f"{took}: {named}" if named else took


def _sum(durations: list[Duration]) -> Duration:
    return reduce(add, durations, Duration(0))
