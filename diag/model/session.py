"""One session as it was reconstructed: its IDs and why they belong together, its events, its turns."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import chain
from typing import Protocol

from diag.model.clocks import Clocks
from diag.model.events import Event
from diag.model.findings import Evidence
from diag.model.flow import TopicFlow
from diag.model.identifiers import Identifier
from diag.model.records import Ids, KafkaRecord
from diag.model.turns import Turn
from diag.model.values import value

JOINED = 80
"""The least score with which a link merges two IDs; below it the other one is a candidate, shown only."""


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


@value
class Link:
    """Two IDs that name one session, by a rule, with how sure that is (0 to 100)."""

    first: str
    second: str
    rule: str
    score: int
    evidence: Evidence


@value
class Alias:
    """Another ID of the session: how it was reached, and the weakest score on the way."""

    identifier: Identifier
    rule: str
    score: int
    evidence: Evidence


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


@dataclass(frozen=True)
class Session:
    """Everything that belongs together. Without slots: what every check asks for is found out once.

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
        clocks: how far the pods' clocks differ; instants are raw everywhere, `events` are in adjusted
            order, durations are of adjusted times.
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

    @cached_property
    def session_ids(self) -> tuple[str, ...]:
        """The IDs that name the session itself, the chief one first."""
        others = [a.identifier.text for a in self.aliases if a.identifier.names_session]
        return (self.id, *others)

    @cached_property
    def facets(self) -> frozenset[str]:
        """Where it was seen, under all of its IDs together."""
        return frozenset(facet for text in self.session_ids for facet in self.presence.get(text, ()))

    @cached_property
    def first_ns(self) -> int | None:
        """Its earliest raw time."""
        return min((e.time_ns for e in self.events if e.time_ns), default=None)

    @cached_property
    def last_ns(self) -> int | None:
        """Its latest raw time."""
        return max((e.time_ns for e in self.events if e.time_ns), default=None)

    @cached_property
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
        return self._at(names)

    def named_like(self, *prefixes: str) -> tuple[Event, ...]:
        """Its events whose canonical names begin so, in order."""
        return self._at(name for name in self._places if name.startswith(prefixes))

    def _at(self, names: Iterable[str]) -> tuple[Event, ...]:
        places = chain.from_iterable(self._places.get(name, ()) for name in set(names))
        return tuple([self.events[place] for place in sorted(places)])

    @cached_property
    def _places(self) -> Mapping[str, Sequence[int]]:
        """Canonical name -> where its events stand: each check asks for a few of them."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, event in enumerate(self.events):
            places[event.name].append(place)
        return places

    @cached_property
    def named_ids(self) -> frozenset[Ids]:
        """What its lines name, each once: most of them name what others do."""
        return frozenset(event.entry.ids for event in self.events)
