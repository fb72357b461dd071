"""What a judge hears, and what it answers with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from diag.model.diagnosis import Diagnosis
from tests.accuracy.provable import Proof
from tests.accuracy.truth import Session


@dataclass(frozen=True, slots=True)
class Hearing:
    """What diag says of one session, asked by one of its IDs.

    Attributes:
        asked: the ID that was asked for.
        group: the session's IDs that the log ties to it; a session whose IDs the log does not tie
            together is heard once for each group.
        proof: what the log proves of the session.
        diagnosis: None if diag found nothing.
    """

    session: Session
    asked: str
    group: tuple[str, ...]
    proof: Proof
    diagnosis: Diagnosis | None


@dataclass(slots=True)
class Figure:
    """One number of the page.

    Attributes:
        promised: the share that must be reached; None for a figure that only informs.
        hits, total: the share's two parts.
        misses: one line for each miss, for whoever looks into them; not on the page.
    """

    name: str
    promised: float | None
    hits: int = 0
    total: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, hit: bool, miss: str) -> None:
        """One more case."""
        self.total += 1
        self.hits += hit
        if not hit:
            self.misses.append(miss)

    @property
    def share(self) -> float | None:
        """None where there was no case."""
        return self.hits / self.total if self.total else None

    @property
    def is_met(self) -> bool:
        """A promise about no case at all is not kept: the corpus failed to test it."""
        return self.promised is None or (self.share is not None and self.share >= self.promised)


class Judge(Protocol):
    """One promise: hears every session once, then sums up."""

    title: str
    how: str

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""

    def table(self) -> Sequence[Sequence[str]]:
        """Rows that explain the figures, the heading first; empty if there are none."""
