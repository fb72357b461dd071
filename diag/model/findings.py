"""What a check says: findings with evidence, and an outcome for every check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad; the exit code is 10 + this."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """As written in output and settings."""
        return self.name.lower()


class Confidence(StrEnum):
    """Whether everything that the rule needs to be sure was read."""

    CONFIRMED = "confirmed"
    SUSPECTED = "suspected"


class Scope(StrEnum):
    """About what: one session, the deployment as it stands, or a whole window."""

    SESSION = "session"
    STANDING = "standing"
    WINDOW = "window"


class Result(StrEnum):
    """What became of a check."""

    FOUND = "found"
    CLEAR = "clear"
    SKIPPED = "skipped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One thing that a reader can look up.

    Attributes:
        time_ns: when; 0 where it has no time (a topic's absence).
        ref: ``pod@time#insertId``, ``topic/partition@offset``, ``kind/namespace/name:field``, ``file:line``.
        source: the slug of the source that brought it.
        text: what stands there, redacted, one line.
    """

    time_ns: int
    ref: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is wrong, and this shows it. Without evidence it can not be made.

    Attributes:
        component: the service or part that it is about.
        title: what, in a few words.
        summary: one or two sentences that a paged person can act on.
        contradicting: what speaks against it, shown beside it.
        sessions: the session IDs that it touches.
        subjects: pods and topics that it touches; with the sessions they decide what folds under it.
    """

    slug: str
    scope: Scope
    severity: Severity
    confidence: Confidence
    component: str
    title: str
    summary: str
    evidence: tuple[Evidence, ...]
    remedy: str = ""
    contradicting: tuple[Evidence, ...] = ()
    sessions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    began_ns: int | None = None

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"finding {self.slug} without evidence")

    @property
    def first_ns(self) -> int | None:
        """When it began, as far as evidence has times."""
        return self.began_ns or min((e.time_ns for e in self.evidence if e.time_ns), default=None)

    @property
    def last_ns(self) -> int | None:
        """When it was last seen."""
        return max((e.time_ns for e in self.evidence if e.time_ns), default=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check; `reason` is filled for skipped and crashed."""

    slug: str
    result: Result
    reason: str = ""


class Status(StrEnum):
    """The verdict's one word."""

    BROKEN = "broken"
    DEGRADED = "degraded"
    HEALTHY = "healthy"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Cause:
    """A finding that others follow from.

    Attributes:
        effects: the slugs of the findings that fold under it.
    """

    slug: str
    component: str
    confidence: Confidence
    summary: str
    supporting: tuple[Evidence, ...]
    contradicting: tuple[Evidence, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the session was, and why."""

    status: Status
    summary: str
    cause: Cause | None = None
    others: tuple[Cause, ...] = ()
    missing: tuple[str, ...] = ()
