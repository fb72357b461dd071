"""The shape of a check.

A check is a module: its docstring is its page, `CHECK` its identity, `_run` its rule, which reads a
`CheckContext` and yields findings. No class, no state, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diag.model.coverage import Coverage
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Outcome, Scope, Severity
from diag.model.records import SESSION_ROLES
from diag.model.session import Alias, Session
from diag.model.topics import BrokerFacts, WantedTopic
from diag.model.values import value
from diag.model.window import Window
from diag.session.identity.parting import is_whole
from diag.session.identity.rules import MAPPING_RULES

LOGS = "logs"
BROKER = "broker"
RECORDS = "records"

MEDIA_SERVER = "media-server"
ORCHESTRATOR = "orchestrator"

_MOST_NAMED = 3
MOST_EVIDENCE = 12
"""References that one finding carries; more would not be read."""

Needs = tuple[frozenset[str], ...]
"""Alternatives, each a set of kinds of evidence that are needed together."""


def any_of(*kinds: str) -> Needs:
    """One of these kinds is enough."""
    return tuple(frozenset({kind}) for kind in kinds)


def all_of(*kinds: str) -> Needs:
    """All of these kinds are needed."""
    return (frozenset(kinds),)


class NotChecked(Exception):  # noqa: N818  it is an answer, no error
    """What was read does not let this rule decide; the text says what is missing."""


@value
class CheckContext:
    """All that a rule may look at.

    Attributes:
        evidence: the kinds that were read: ``logs``, ``broker``, ``records``.
        partial: those of them of which something is missing: no absence can be claimed from them.
        reaches_now: the window ends where the reading was done, so what the broker is now holds for it.
        outcomes: of the checks that ran before this one.
    """

    session: Session
    coverage: Coverage
    evidence: frozenset[str]
    partial: frozenset[str] = frozenset()
    broker: BrokerFacts | None = None
    wanted: tuple[WantedTopic, ...] = ()
    reaches_now: bool = False
    outcomes: tuple[Outcome, ...] = ()

    def has(self, needs: Needs) -> bool:
        """Whether one of the alternatives was read; no alternatives: nothing is needed."""
        return not needs or any(kinds <= self.evidence for kinds in needs)

    def require_entries(self, *services: str) -> None:
        """Raise `NotChecked` unless each service was read around the session: silence must be heard."""
        never = [service for service in services if not self.coverage.entries_of(service)]
        if never:
            raise NotChecked(f"no entries of {' and '.join(never)} were read")
        elsewhere = [service for service in services if not self._hears(service)]
        if elsewhere:
            raise NotChecked(f"the entries of {' and '.join(elsewhere)} are of another time")

    def require_work(self) -> None:
        """Raise `NotChecked` unless some line shows the session at work: words alone show nothing."""
        if not self.session.facets:
            keys = _unknown_keys(self.session)
            where = (
                f": its ID stands under {', '.join(keys)}, which no catalogue calls a session's"
                if keys
                else ""
            )
            raise NotChecked(f"no line shows the session at work on either side{where}")

    def require_own_socket(self) -> None:
        """Raise `NotChecked` if a mapping that is not proved may send the session's replies elsewhere.

        Where both are whole sessions, that one has a caller of its own, and this one's is not there.
        """
        taken = {alias.identifier.text for alias in self.taken_for()}
        mapped = [one.identifier.text for one in _mapped(self.session)]
        if not taken.issuperset(mapped):
            others = ", ".join(mapped[:_MOST_NAMED])
            raise NotChecked(f"a mapping that fits several sessions ties it to {others}")

    def taken_for(self) -> tuple[Alias, ...]:
        """The other callers' sessions that a mapping line takes this one for."""
        session = self.session
        if not any(is_whole(session, text) for text in session.session_ids):
            return ()
        return tuple(alias for alias in _mapped(session) if is_whole(session, alias.identifier.text))

    def sureness(self, *services: str) -> Confidence:
        """Confirmed if all logs came and each of these services was read around the session."""
        complete = self.coverage.logs_complete() and all(map(self._hears, services))
        return Confidence.CONFIRMED if complete else Confidence.SUSPECTED

    def _hears(self, service: str) -> bool:
        first, last = self.session.first_ns, self.session.last_ns
        if first is None or last is None:
            return bool(self.coverage.entries_of(service))
        return self.coverage.hears(service, Window(first, last))


def _mapped(session: Session) -> Iterator[Alias]:
    return (alias for alias in session.candidates if alias.rule in MAPPING_RULES)


def _unknown_keys(session: Session) -> list[str]:
    """Where the session's ID stands in lines that name it, as far as anybody knows, only in passing."""
    mentions = {
        mention for ids in session.named_ids for mention in ids if mention.text in session.session_ids
    }
    if any(mention.role in SESSION_ROLES for mention in mentions):
        return []
    return sorted({mention.key for mention in mentions if mention.key != "message"})[:_MOST_NAMED]


@dataclass(frozen=True, slots=True)
class Check:
    """A rule and its identity.

    Attributes:
        slug: its one public name; permanent, never reused.
        severity: of its findings, unless a finding carries its own.
        requires: the least evidence with which it runs, else it is skipped.
        confirms: without it its findings are suspected.
    """

    slug: str
    title: str
    severity: Severity
    scope: Scope
    requires: Needs
    confirms: Needs
    run: Callable[[CheckContext], Iterator[Finding]]


def to_evidence(events: tuple[Event, ...] | list[Event]) -> tuple[Evidence, ...]:
    """The first events as evidence."""
    return tuple(event.to_evidence() for event in events[:MOST_EVIDENCE])
