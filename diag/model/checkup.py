"""What ``diag doctor`` answers: what was tried, what came of it, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How one part stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one probe found.

    Attributes:
        evidence: one sentence: what was seen, or why nobody looked.
        remedy: what to do about it; empty where there is nothing to do.
        partial: a session would be judged with less than was asked for, because of this warning.
    """

    state: Health
    evidence: str
    remedy: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe by its permanent name, with its answer."""

    name: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Checkup:
    """Every probe, in the order in which they are told.

    Attributes:
        unfinished: some work did not end in its time and still goes on.
    """

    probes: tuple[Probed, ...]
    version: str = ""
    unfinished: bool = False

    def find(self, name: str) -> Answer:
        """The answer of one probe; raises `KeyError`."""
        return {one.name: one.answer for one in self.probes}[name]


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """Where results go.

    Attributes:
        columns: of the terminal; None where there is none.
        encoding: of the characters, as the interpreter calls it.
    """

    columns: int | None
    encoding: str
    colours: bool
