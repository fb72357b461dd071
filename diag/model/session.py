"""One session as it was reconstructed: its IDs and why they belong together, its events, its turns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import merge
from typing import Protocol

from diag.model.clocks import Clocks
from diag.model.findings import Evidence
from diag.model.flow import TopicFlow
from diag.model.identifiers import Identifier
from diag.model.ledger import Duration, Part, Stage, Stamp, build_parts
from diag.model.records import Entry, KafkaRecord

MEDIA = "media"
ORCHESTRATOR = "orchestrator"

_LONGEST_VALUE = 160
_SHOWN_ROLES = ("session", "media", "frontend", "connection")

JOINED = 80
"""The least score with which a link merges two IDs; below it the other one is a candidate, shown only."""


@dataclass(frozen=True, slots=True)
class Event:
    """A log entry and what the catalogue says it means.

    Attributes:
        name: the canonical event (``whip.session``), ``log`` for a known line that marks no step,
            ``unknown`` for a line that no catalogue entry fits.
        attributes: from the message and the catalogue.
        side: which part of the system wrote it: ``media``, ``orchestrator``, ``stt``, ...
        shows: the payload fields that matter to a reader.
        level: how bad it is: by the catalogue where it knows better than the entry.
        attributed: how the catalogue attributes it where it names no session; empty: it does not.
        same: its fields -> those of a session's own line that hold the same.
    """

    entry: Entry
    name: str
    side: str
    shows: tuple[str, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    eras: frozenset[str] = frozenset()
    level: str = ""
    attributed: str = ""
    same: Mapping[str, str] = field(default_factory=dict)

    @property
    def time_ns(self) -> int:
        """When; 0 where nothing gives it a time."""
        return self.entry.time_ns or 0

    @property
    def text(self) -> str:
        """The line for a person, made when one asks: ``Connection state changed state=connected``."""
        parts = [self.entry.message or "(no message)"]
        for name in self.shows:
            value = self.entry.field(name)
            # the line's own service is in the reference already; as a value it means a stage
            if value and not (name == "service" and value == self.entry.service):
                shown = value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "..."
                parts.append(f"{name}={shown}")
        return " ".join(" ".join(parts).split())

    def value(self, *names: str) -> str:
        """An attribute, or else the payload field of that name; empty if neither is there."""
        for name in names:
            if name in self.attributes:
                return self.attributes[name]
        return self.entry.field(*names)

    def to_evidence(self) -> Evidence:
        """This event as something to look up."""
        text = self.text
        named = (f"{m.key}={m.text}" for m in self.entry.ids if m.role in _SHOWN_ROLES and m.text not in text)
        time_ns = self.time_ns if self.entry.time_known else 0
        return Evidence(time_ns, self.entry.ref, self.entry.source, " ".join((text, *named)))


@dataclass(frozen=True, slots=True)
class Attribution:
    """A line that names no session, and why it is taken for one of this session's. It proves nothing.

    Attributes:
        rule: what ties it: ``connection``, or the catalogue's word for it (``stage:llm``, ``before:...``);
            ``, same content`` behind it where only that told it from other sessions'.
        ambiguous: it may as well be another session's, or another turn's.
    """

    event: Event
    rule: str
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class Link:
    """Two IDs that name one session, by a rule, with how sure that is (0 to 100)."""

    first: str
    second: str
    rule: str
    score: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Alias:
    """Another ID of the session: how it was reached, and the weakest score on the way."""

    identifier: Identifier
    rule: str
    score: int
    evidence: Evidence


class TurnOutcome(StrEnum):
    """What the caller got."""

    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    EMPTY = "empty transcript"
    ABANDONED = "abandoned"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Turn:
    """From the end of the caller's speech to the reply, or to where it stopped.

    Attributes:
        turn_id: empty where the services give turns no ID; the join is then by order.
        trigger: the event that ended the speech.
        start: the trigger's time.
        end: the end of the turn's work, else its last event; None if there is none but the trigger.
        deliveries: text or audio of the reply that reached the caller.
        handed_over: when the reply left the orchestrator, each time.
        last_step: the last event that belongs to the turn.
        failure: the last of its steps that failed.
        caller_left: with which event the caller was gone before the turn had come to an end.
    """

    turn_id: str
    trigger: Event
    start: Stamp
    end: Stamp | None
    stages: tuple[Stage, ...]
    outcome: TurnOutcome
    deliveries: tuple[Event, ...]
    last_step: Event
    handed_over: tuple[Stamp, ...] = ()
    withheld: tuple[Event, ...] = ()
    failure: Event | None = None
    caller_left: Event | None = None

    @property
    def start_ns(self) -> int:
        """Its start, as it was written."""
        return self.start.raw_ns

    @property
    def end_ns(self) -> int | None:
        """Its end, as it was written."""
        return None if self.end is None else self.end.raw_ns

    @property
    def total(self) -> Duration | None:
        """The whole turn, by adjusted times."""
        return None if self.end is None else Duration.between(self.start, self.end)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the total is made of; none where there is no total."""
        if self.end is None:
            return ()
        return build_parts(self.start, self.stages, self.handed_over, self.end)

    @property
    def total_ms(self) -> float | None:
        """The whole turn."""
        total = self.total
        return None if total is None else total.ms

    @property
    def unaccounted_ms(self) -> float | None:
        """What no stage accounts for; negative where stages ran side by side for longer than that."""
        total = self.total_ms
        return None if total is None else total - sum(stage.ms or 0.0 for stage in self.stages)


class Neighbours(Protocol):
    """What was logged around a session and is not its own: other sessions' steps, and lines without an ID.

    Thousands of lines may stand around one session, so they are asked for by what is sought. Each answer
    is in order of time.
    """

    def named(self, *names: str) -> tuple[Event, ...]:
        """Those of these canonical names."""

    def mentioning(self, *texts: str) -> tuple[Event, ...]:
        """Those that mention one of these IDs."""

    def lost(self) -> tuple[Event, ...]:
        """Those that name a lost ID (`undefined`), or complain of one."""

    def eras(self, side: str) -> frozenset[frozenset[str]]:
        """The versions that the lines of one side betray, a set for each line that betrays some."""


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that belongs together.

    Attributes:
        id: the session's chief ID: the media server's where it has one.
        asked: the ID that was asked for, which may be any of them.
        members: all its IDs, connections and traces included.
        events: in order; see ``session/timeline``.
        neighbours: what was logged around it and is not its own.
        presence: session ID -> the facets in which it was seen (``whip``, ``ws.bind``, ...), of its own
            IDs and of its candidates.
        lost_records: records of the window under a lost ID: no session's, and perhaps this one's.
        end: the event that ended it; None if none did.
        open: it may still run.
        attributed: lines that name no session and are taken for its own, by time; found after it was
            judged, shown and never judged by.
        not_attributed: such lines around it that were too many to be looked at.
        own_forms: of session IDs, where the user's catalogue gives some.
        clocks: how far the pods' clocks differ. Instants are raw everywhere, `events` are in adjusted
            order, and durations are of adjusted times.
    """

    id: str
    asked: Identifier
    members: frozenset[str]
    aliases: tuple[Alias, ...]
    candidates: tuple[Alias, ...]
    events: tuple[Event, ...]
    neighbours: Neighbours
    presence: Mapping[str, frozenset[str]]
    turns: tuple[Turn, ...]
    flows: tuple[TopicFlow, ...]
    lost_records: tuple[KafkaRecord, ...]
    minted_ns: int | None
    end: Event | None
    open: bool
    own_forms: tuple[re.Pattern[str], ...] = ()
    clocks: Clocks = field(default_factory=Clocks)
    attributed: tuple[Attribution, ...] = ()
    not_attributed: int = 0

    def fits_own_form(self, text: str) -> bool:
        """Whether a session ID is well-formed by the user's catalogue."""
        return any(form.fullmatch(text) for form in self.own_forms)

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The IDs that name the session itself, the chief one first."""
        others = [a.identifier.text for a in self.aliases if a.identifier.names_session]
        return (self.id, *others)

    @property
    def facets(self) -> frozenset[str]:
        """Where it was seen, under all of its IDs together."""
        return frozenset(facet for text in self.session_ids for facet in self.presence.get(text, ()))

    @property
    def first_ns(self) -> int | None:
        """Its earliest raw time."""
        return min((e.time_ns for e in self.events if e.time_ns), default=None)

    @property
    def last_ns(self) -> int | None:
        """Its latest raw time."""
        return max((e.time_ns for e in self.events if e.time_ns), default=None)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that speak of it, sorted."""
        return tuple(sorted({e.entry.service for e in self.events if e.entry.service}))

    @property
    def timeline(self) -> tuple[Event | Attribution, ...]:
        """Its events in order, with the attributed lines at their times among them."""

        def adjusted_ns(one: Event | Attribution) -> int:
            event = one.event if isinstance(one, Attribution) else one
            return self.clocks.adjust(event.entry) or event.time_ns

        return tuple(merge(self.events, self.attributed, key=adjusted_ns))

    def named(self, *names: str) -> tuple[Event, ...]:
        """Its events of these canonical names, in order."""
        return tuple(event for event in self.events if event.name in names)
