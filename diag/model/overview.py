"""The sessions of a window, a line each: what ``diag sessions`` and ``diag find`` list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diag.model.coverage import Coverage
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Confidence, Evidence, Scope, Severity, Status
from diag.model.turns import TurnOutcome
from diag.model.window import Window


@dataclass(frozen=True, slots=True)
class FoundLine:
    """One finding, without its evidence: `diag session` gives that."""

    slug: str
    scope: Scope
    severity: Severity
    confidence: Confidence


class MatchKind(StrEnum):
    """Where in a session a text was found, the most telling first."""

    ID = "id"
    POD = "pod"
    MESSAGE = "message"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Match:
    """How a text finds a session.

    Attributes:
        where: the ID, the pod or the field's name; empty for a message.
        service: who wrote the line.
        evidence: the first such line.
    """

    kind: MatchKind
    where: str
    service: str
    evidence: Evidence


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
        found_by: how the text that was sought finds it, once for each kind; none where nothing was sought.
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
    found_by: tuple[Match, ...] = ()

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
        notes: where nothing was found, what was searched and what can not be found, a sentence each.
    """

    window: Window | None
    files: tuple[str, ...]
    sessions: tuple[SessionLine, ...]
    seen: int
    coverage: Coverage
    only: str = ""
    version: str = ""
    notes: tuple[str, ...] = ()


def to_line(diagnosis: Diagnosis, found_by: tuple[Match, ...] = ()) -> SessionLine:
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
        found_by=found_by,
    )
