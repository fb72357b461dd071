"""The sessions of a window, a line each: what ``diag sessions`` lists."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.coverage import Coverage
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Confidence, Scope, Severity, Status
from diag.model.turns import TurnOutcome
from diag.model.window import Window


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One finding, without its evidence: `diag session` gives that."""

    slug: str
    scope: Scope
    severity: Severity
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session of many.

    Attributes:
        id: its chief ID, the same whichever of its IDs is asked for.
        aliases: the other IDs that name it.
        entries: log entries that mention it.
        turns: what came of each of its turns, in order.
        cause: the slug of the first cause; empty if there is none.
        component: the part that the cause is in.
        summary: the verdict's sentence.
    """

    id: str
    aliases: tuple[str, ...]
    minted_ns: int | None
    first_ns: int | None
    last_ns: int | None
    open: bool
    services: tuple[str, ...]
    entries: int
    turns: tuple[TurnOutcome, ...]
    status: Status
    summary: str
    cause: str = ""
    component: str = ""
    findings: tuple[FoundLine, ...] = ()

    @property
    def unanswered(self) -> int:
        """Turns that got no reply."""
        return sum(turn is TurnOutcome.UNANSWERED for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Overview:
    """The sessions of a window, in order of their first line.

    Attributes:
        sessions: those that were asked for.
        seen: how many there are in all.
        only: in words, what narrowed them; empty if nothing did.
        files: the names given on the command line.
    """

    window: Window | None
    files: tuple[str, ...]
    sessions: tuple[SessionLine, ...]
    seen: int
    coverage: Coverage
    only: str = ""
    version: str = ""


def to_line(diagnosis: Diagnosis) -> SessionLine:
    """What stays of a session where many are listed."""
    session, verdict = diagnosis.session, diagnosis.verdict
    return SessionLine(
        id=session.id,
        aliases=session.session_ids[1:],
        minted_ns=session.minted_ns,
        first_ns=session.first_ns,
        last_ns=session.last_ns,
        open=session.open,
        services=session.services,
        entries=len(session.events),
        turns=tuple(turn.outcome for turn in session.turns),
        status=verdict.status,
        summary=verdict.summary,
        cause=verdict.cause.slug if verdict.cause else "",
        component=verdict.cause.component if verdict.cause else "",
        findings=tuple(FoundLine(f.slug, f.scope, f.severity, f.confidence) for f in diagnosis.findings),
    )
