"""The table of turns: what came of each, and what its time went to."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.instants import format_clock
from diag.model.ledger import BETWEEN, DELIVERY, PLAYING, TRANSPORT, UNACCOUNTED, Ledger
from diag.model.session import Session
from diag.model.turns import Turn, TurnOutcome
from diag.render.durations import describe_bounds, describe_duration
from diag.render.markdown.evidence import EvidenceIndex


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One turn's row: parts that sum to the total."""

    start: str
    transport: str
    stt: str
    llm: str
    tts: str
    between: str
    delivery: str
    playing: str
    other: str
    total: str
    outcome: str
    evidence: str


def build_turn_rows(session: Session, index: EvidenceIndex) -> tuple[TurnRow, ...]:
    """The ledger of latencies, a row a turn."""
    return tuple(_to_turn_row(turn, index) for turn in session.turns)


def has_doubt(session: Session) -> bool:
    """Whether a time of the table is not known to the millisecond."""
    ledgers = [turn.ledger for turn in session.turns if turn.ledger]
    return any(not part.took.is_exact for ledger in ledgers for part in ledger.parts)


def _to_turn_row(turn: Turn, index: EvidenceIndex) -> TurnRow:
    by = (turn.interruption.by,) if turn.interruption else ()
    old = turn.replay.lines[:1] if turn.replay else ()
    told = (turn.trigger, *turn.deliveries[:1], *turn.withheld[-1:], turn.last_step, *by, *old)
    total = turn.ledger.total if turn.ledger else None
    return TurnRow(
        start=_describe_start(turn),
        transport=_part(turn.ledger, TRANSPORT),
        stt=_describe_stage(turn, "stt"),
        llm=_describe_stage(turn, "llm"),
        tts=_describe_stage(turn, "tts"),
        between=_part(turn.ledger, BETWEEN),
        delivery=_part(turn.ledger, DELIVERY),
        playing=_describe_playing(turn.ledger),
        other=_part(turn.ledger, UNACCOUNTED),
        total=describe_duration(total) + describe_bounds(total),
        outcome=_describe_outcome(turn),
        evidence=index.cite(event.to_evidence() for event in told),
    )


def _describe_start(turn: Turn) -> str:
    """As it was written, and in brackets by the reference's clock where that differs."""
    raw = format_clock(turn.start_ns)
    return raw if turn.start.ns == turn.start.raw_ns else f"{raw} ({format_clock(turn.start.ns)})"


def _part(ledger: Ledger | None, *names: str) -> str:
    return describe_duration(ledger.sum_of(*names) if ledger else None)


def _describe_stage(turn: Turn, name: str) -> str:
    """What a stage took in all its attempts, or the state in which it stopped."""
    attempts = [stage for stage in turn.stages if stage.name == name]
    if not attempts:
        return "-"
    unfinished = next((stage.state for stage in attempts if stage.ended is None), "")
    beside = sum(part.beside.ms for part in turn.ledger.parts if part.name == name) if turn.ledger else 0.0
    words = [unfinished or _part(turn.ledger, name)]
    words += [f"{beside:.0f} ms beside another"] if beside else []
    words += [f"{len(attempts)} attempts"] if len(attempts) > 1 else []
    return ", ".join(words)


def _describe_playing(ledger: Ledger | None) -> str:
    """Within the turn's work, and what came after its end, which the total does not hold."""
    within = _part(ledger, PLAYING)
    if ledger is None or ledger.after is None:
        return within
    after = f"until {describe_duration(ledger.after)} after the end"
    return after if within == "-" else f"{within}, {after}"


def _describe_outcome(turn: Turn) -> str:
    words = [turn.outcome.value]
    if turn.interruption is not None and not turn.interruption.proved:
        over = turn.outcome is TurnOutcome.INTERRUPTED
        words.append("likely: the caller spoke again" if over else "the caller spoke again")
    if turn.outcome is TurnOutcome.ANSWERED and turn.voice_lost is not None:
        words.append("its voice did not go out")
    if turn.replay is not None:
        words.append("an old answer" if turn.replay.proved else "perhaps an old answer")
    if turn.caller_left is not None:
        words.append("the caller left")
    return "; ".join(words)
