"""All that attribution looks at, in order of time: whose each line is, and which lines speak of one thing."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from diag.model.clocks import Clocks
from diag.model.events import Event
from diag.model.identifiers import is_lost
from diag.model.instants import NS_PER_S
from diag.model.records import SESSION_ROLES, Entry

OWN = ""
"""The owner of this session's lines; another session is called by the ID that stands in its line."""

BINDING_EVENTS = ("ws.bind", "ws.message")
"""What says for which session a connection stands from now on."""

_NAMING_ROLES = (*SESSION_ROLES, "text")
_JOINING_ROLES = ("connection", "trace")


@dataclass(frozen=True, slots=True)
class Scene:
    """One session among others.

    Attributes:
        members: the session's IDs.
        own: where its events stand in what was read.
        lines: its events and the landmarks of other sessions, in order of time.
        bindings: of the connections that it shares with other sessions.
        sees_others: the landmarks of other sessions were all read; else everything is ambiguous.
    """

    members: frozenset[str]
    own: frozenset[int]
    lines: tuple[Event, ...]
    clocks: Clocks
    bindings: Mapping[str, Bindings] = field(default_factory=dict)
    sees_others: bool = True

    def owner_of(self, event: Event) -> str | None:
        """Whose line it is; None where it names nobody."""
        if event.entry.order in self.own:
            return OWN
        named = sessions_in(event.entry)
        if named:
            return OWN if self.members.intersection(named) else named[0]
        connections = event.entry.ids_in("connection")
        for text in connections:
            if text in self.bindings:
                return self.bindings[text].last_before(event.time_ns)
        return connections[0] if connections else None


def sessions_in(entry: Entry) -> tuple[str, ...]:
    """The session IDs that a line names under a session's key; a lost one names nobody."""
    return tuple(text for text in entry.ids_in(*SESSION_ROLES) if not is_lost(text))


def is_bare(entry: Entry, hubs: frozenset[str]) -> bool:
    """Whether a line names no session, nor a connection or trace that would tell whose it is."""
    if any(not is_lost(text) for text in entry.ids_in(*_NAMING_ROLES)):
        return False
    return hubs.issuperset(entry.ids_in(*_JOINING_ROLES))


def place_of(entry: Entry) -> str:
    """Where a line was written; lines whose pod is not known share their service's place."""
    return entry.pod or f"service {entry.service}"


def latest_ns(event: Event) -> int:
    """When it was written at the latest: loggers of whole seconds cut up to one off."""
    return event.time_ns + NS_PER_S - 1 if event.time_ns % NS_PER_S == 0 else event.time_ns


def says_same(line: Event, told: Iterable[Event]) -> bool | None:
    """Whether what `line` names stands in one of `told` by the catalogue's ``same``; None: nothing tells."""
    known = None
    for event in told:
        for own, other in line.same.items():
            value, said = line.value(own), event.value(other)
            if value and said:
                if value == said:
                    return True
                known = False
    return known


@dataclass(frozen=True, slots=True)
class Bindings:
    """For which session one shared connection stood, and when.

    Attributes:
        times, owners: of the bindings, in order; the last one before a time wins.
        begun: when each other session is first named beside the connection, in order.
        until: when any of those that had begun by then is last named beside it.
    """

    times: tuple[int, ...]
    owners: tuple[str, ...]
    begun: tuple[int, ...]
    until: tuple[int, ...]

    def last_before(self, time_ns: int) -> str:
        """Who was bound; before the first binding, who came first."""
        return self.owners[max(0, bisect_right(self.times, time_ns) - 1)]

    def others_at(self, time_ns: int) -> bool:
        """Whether another session is named beside the connection both before and after a time."""
        place = bisect_right(self.begun, time_ns)
        return place > 0 and self.until[place - 1] >= time_ns


def find_bindings(
    lines: Iterable[Event], hubs: frozenset[str], members: frozenset[str]
) -> dict[str, Bindings]:
    """Connection -> its bindings, for each of `hubs` that was ever bound."""
    bound: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    spans: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for event in lines:
        named = sessions_in(event.entry)
        if not named or not event.time_ns or event.name == "bcast.skipped":
            continue
        owner = OWN if members.intersection(named) else named[0]
        for text in hubs.intersection(event.entry.ids_in("connection")):
            first, last = spans[text].get(owner, (event.time_ns, event.time_ns))
            spans[text][owner] = (min(first, event.time_ns), max(last, latest_ns(event)))
            if event.name in BINDING_EVENTS:
                bound[text].append((event.time_ns, owner))
    return {text: _to_bindings(sorted(pairs), spans[text]) for text, pairs in bound.items()}


def _to_bindings(pairs: list[tuple[int, str]], spans: Mapping[str, tuple[int, int]]) -> Bindings:
    others = sorted(span for owner, span in spans.items() if owner != OWN)
    return Bindings(
        times=tuple(time for time, _ in pairs),
        owners=tuple(owner for _, owner in pairs),
        begun=tuple(start for start, _ in others),
        until=tuple(accumulate((end for _, end in others), max)),
    )
