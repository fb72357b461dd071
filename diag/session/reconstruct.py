"""All of a session as one value, from the entries and records that were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diag.model.catalogue import Catalogue
from diag.model.events import Event
from diag.model.identifiers import Identifier, IdKind, classify
from diag.model.instants import NS_PER_S
from diag.model.records import SESSION_ROLES, KafkaRecord
from diag.model.session import Alias, Neighbours, Session
from diag.model.topics import BrokerFacts, WantedTopic
from diag.model.turns import Turn, TurnOutcome
from diag.model.window import Window
from diag.session.flow.build import build_flows
from diag.session.flow.passage import FlowSources
from diag.session.identity.links import Closure, Reached, close_over
from diag.session.identity.partners import NEARBY_NS, find_partners
from diag.session.identity.presence import build_presence
from diag.session.order.clocks import find_clocks
from diag.session.order.sort import put_in_order
from diag.session.select import EventFinder
from diag.session.turns.build import build_turns
from diag.session.turns.ending import PROCESS_ENDS, find_departures, find_end


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of all sources; a part that was not read is None.

    Attributes:
        window: what was searched; its end tells whether something may still come.
        settled_ns: entries older than this have arrived; None for files, which do not change.
        records: the records on the broker that name the session, or a lost ID.
        record_gaps: topic -> why not all of its records were looked at.
    """

    finder: EventFinder
    catalogue: Catalogue
    window: Window | None = None
    settled_ns: int | None = None
    records: tuple[KafkaRecord, ...] | None = None
    broker: BrokerFacts | None = None
    wanted: tuple[WantedTopic, ...] = ()
    record_gaps: Mapping[str, str] = field(default_factory=dict)


def reconstruct(asked: Identifier, reading: Reading) -> Session | None:
    """The session that `asked` belongs to; None if no entry and no record mentions it."""
    closure = close_over(asked.text, reading.finder, reading.records or ())
    records = _own_records(reading.records, closure.members)
    lost = tuple(
        r for r in reading.records or () if r.is_lost and (r in (records or ()) or not r.session_ids)
    )
    mentioning = reading.finder.mentioning(closure.members)
    clocks = find_clocks(mentioning)
    events = put_in_order(mentioning, clocks)
    if not events and not records:
        return None
    neighbours, presence = _find_neighbours(events, closure.members, reading), build_presence(events)
    partners = find_partners(events, presence, neighbours, closure.members)
    sockets = _find_sockets(events)
    candidates = _find_candidates(closure, partners, reading.catalogue, sockets)
    halves = (alias.identifier for alias in candidates if alias.identifier.names_session)
    shown = neighbours.mentioning(*(one.text for one in halves))
    window_end = reading.window.end_ns if reading.window else max((e.time_ns for e in events), default=0)
    end = find_end(events)
    departures = find_departures(events, neighbours.named(*PROCESS_ENDS))
    turns = build_turns(events, departures, window_end, clocks)
    return Session(
        id=closure.chief,
        asked=asked,
        members=closure.members,
        aliases=_to_aliases(closure.joined, closure.members, reading.catalogue, sockets),
        candidates=candidates,
        events=events,
        neighbours=neighbours,
        presence=build_presence((*events, *shown)) if shown else presence,
        turns=turns,
        flows=build_flows(_find_flow_sources(events, neighbours, records, closure, reading)),
        lost_records=lost,
        minted_ns=_minted_ns(closure),
        end=end,
        own_forms=reading.catalogue.id_forms.get("session", ()),
        clocks=clocks,
        open=end is None and _may_continue(turns, window_end, reading.settled_ns),
    )


def _own_records(
    records: Iterable[KafkaRecord] | None, members: frozenset[str]
) -> tuple[KafkaRecord, ...] | None:
    """Those that name the session; a lost ID beside another session's brings that one's records, too."""
    return None if records is None else tuple(r for r in records if members.intersection(r.session_ids))


def _to_aliases(
    reached: Reached, members: frozenset[str], catalogue: Catalogue, sockets: frozenset[str]
) -> tuple[Alias, ...]:
    return tuple(
        Alias(_classify(text, catalogue, sockets), link.rule, score, link.evidence)
        for text, (link, score) in reached.items()
        if text in members
    )


def _classify(text: str, catalogue: Catalogue, sockets: frozenset[str]) -> Identifier:
    """By its form, or where that tells nothing, by the keys under which it stands."""
    found = catalogue.classify(text)
    unknown = found.kind is IdKind.MALFORMED and text in sockets
    return replace(found, kind=IdKind.CONNECTION) if unknown else found


def _find_sockets(events: Iterable[Event]) -> frozenset[str]:
    """The IDs that lines give to connections, and none to a session."""
    named = {event.entry.ids for event in events}
    sockets = {text for ids in named for text in ids.in_roles["connection",]}
    return frozenset(sockets).difference(text for ids in named for text in ids.in_roles[SESSION_ROLES])


def _find_candidates(
    closure: Closure, partners: tuple[Alias, ...], catalogue: Catalogue, sockets: frozenset[str]
) -> tuple[Alias, ...]:
    weak = _to_aliases(closure.candidates, frozenset(closure.candidates), catalogue, sockets)
    hubs = _to_aliases(closure.joined, closure.hubs, catalogue, sockets)
    known = {alias.identifier.text for alias in (*weak, *hubs)}
    return (*weak, *hubs, *(one for one in partners if one.identifier.text not in known))


def _find_neighbours(events: Sequence[Event], members: frozenset[str], reading: Reading) -> Neighbours:
    times = [event.time_ns for event in events if event.time_ns]
    start_ns, end_ns = (min(times) - NEARBY_NS, max(times) + NEARBY_NS) if times else (0, -1)
    return reading.finder.around(start_ns, end_ns, members)


def _find_flow_sources(
    events: Sequence[Event],
    neighbours: Neighbours,
    records: Sequence[KafkaRecord] | None,
    closure: Closure,
    reading: Reading,
) -> FlowSources:
    return FlowSources(
        events=events,
        neighbours=neighbours,
        records=records,
        gaps=reading.record_gaps,
        wanted=reading.wanted,
        broker=reading.broker,
        span=_find_span(events, closure),
    )


def _find_span(events: Sequence[Event], closure: Closure) -> Window | None:
    """The session's own time, from when its ID was minted where that is known."""
    times = [event.time_ns for event in events if event.time_ns]
    minted = _minted_ns(closure)
    if minted is not None and (not times or minted <= min(times)):
        times.append(minted)
    return Window(min(times), max(times)) if times else None


def _minted_ns(closure: Closure) -> int | None:
    """The earliest time inside the session's own IDs."""
    ids = (classify(text) for text in closure.members)
    return min((one.minted_ns for one in ids if one.names_session and one.minted_ns), default=None)


def _may_continue(turns: Sequence[Turn], window_end: int, settled_ns: int | None) -> bool:
    if settled_ns is not None and window_end > settled_ns - NS_PER_S:
        return True
    return any(turn.outcome is TurnOutcome.OPEN for turn in turns)
