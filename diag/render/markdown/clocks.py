"""The table of clocks: only where a time was adjusted, or the lines contradict each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.clocks import CausalPair, Clocks, PodClock
from diag.render.clocks import describe_clock
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.neutral import to_code, to_prose


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One pod's clock, or a contradiction."""

    pod: str
    difference: str
    reasons: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ClockTable:
    """The rows by one reference; empty where times stand as they were written."""

    reference: str
    rows: tuple[ClockRow, ...]
    contradictions: tuple[ClockRow, ...]


def build_clock_table(clocks: Clocks, index: EvidenceIndex) -> ClockTable:
    """Pods by name, contradictions as they were found."""
    if not clocks.is_notable:
        return ClockTable("", (), ())
    rows = tuple(_to_row(clock, index) for clock in clocks.pods)
    against = tuple(
        ClockRow(", ".join(map(to_code, one.pods)), "", _reasons(one.pairs), _cite(one.pairs, index))
        for one in clocks.contradictions
    )
    return ClockTable(to_code(clocks.reference), rows, against)


def _to_row(clock: PodClock, index: EvidenceIndex) -> ClockRow:
    pairs = (*clock.at_least, *clock.at_most)
    return ClockRow(to_code(clock.pod), describe_clock(clock), _reasons(pairs), _cite(pairs, index))


def _reasons(pairs: Iterable[CausalPair]) -> str:
    return "; ".join(dict.fromkeys(to_prose(pair.rule) for pair in pairs))


def _cite(pairs: Iterable[CausalPair], index: EvidenceIndex) -> str:
    return index.cite((one for pair in pairs for one in (pair.before, pair.after)), most=12)
