"""Which IDs belong together.

Links of `JOINED` or more merge, however many are between two IDs; weaker ones make a candidate. A
connection or a trace that reaches several sessions which each have media of their own is a hub: it is
shared, so it joins nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from diag.model.events import Event
from diag.model.identifiers import IdKind, classify, is_lost
from diag.model.records import SESSION_ROLES, KafkaRecord
from diag.model.session import JOINED, Link
from diag.session.identity.presence import BIND, NAMED, WHIP, WS_AUDIO, build_presence
from diag.session.identity.rules import (
    MAPPING_RULES,
    MOST_IDS,
    SHARED_BY,
    Finder,
    find_kin_links,
    find_line_links,
    find_record_links,
    weigh_mappings,
)

_SHAREABLE = (IdKind.CONNECTION, IdKind.TRACE)

Reached = Mapping[str, tuple[Link, int]]


@dataclass(frozen=True, slots=True)
class Closure:
    """The IDs of one session.

    Attributes:
        chief: the ID that stands for all, the same whichever of them was asked for.
        joined: each other ID -> the link along which `chief` reaches it, and the weakest score on the way.
        candidates: the same for IDs beyond a weak link.
        hubs: shared connections and traces: reached, never passed.
    """

    chief: str
    joined: Reached
    candidates: Reached
    hubs: frozenset[str]

    @property
    def members(self) -> frozenset[str]:
        """Every ID of the session; hubs are not its own."""
        return frozenset({self.chief, *self.joined}) - self.hubs

    @property
    def mapped(self) -> frozenset[str]:
        """The candidates that a mapping line ties to the session."""
        return frozenset(text for text, (link, _) in self.candidates.items() if link.rule in MAPPING_RULES)


def close_over(asked: str, finder: Finder, records: Iterable[KafkaRecord] = ()) -> Closure:
    """All IDs that `asked` is joined to.

    The search widens until it finds no new ID. Hubs are known only once their sessions were looked
    at, so it passes everything first and decides at the end.
    """
    considered, kafka_links = frozenset({asked}), tuple(find_record_links(records))
    crowded = finder.crowded - {asked}
    while True:
        events = finder.mentioning(considered)
        links = weigh_mappings(
            (*find_line_links(events), *find_kin_links(finder, considered, events), *kafka_links), events
        )
        strong = tuple(link for link in links if link.score >= JOINED)
        reached = {asked, *_reach(asked, strong, crowded)}
        wider = considered.union(reached, _mapped_partners(links, reached)) - crowded
        if wider == considered or len(wider) > MOST_IDS:
            break
        considered = wider
    hubs = (find_hubs(strong, events) - {asked}) | crowded
    ids = frozenset({asked, *_reach(asked, strong, hubs)})
    chief = _choose_chief(ids - hubs, events)
    weak = [link for link in links if link.score < JOINED and (link.first in ids) != (link.second in ids)]
    candidates = {(link.second if link.first in ids else link.first): (link, link.score) for link in weak}
    joined = _reach(chief, strong, hubs)
    return Closure(chief, _sorted(joined), _sorted(candidates), hubs & ids)


def _mapped_partners(links: Iterable[Link], reached: set[str]) -> set[str]:
    """The other ends of mappings: what they are decides whether the mapping fits."""
    ends = ({link.first, link.second} for link in links if link.rule in MAPPING_RULES)
    return {text for pair in ends if pair & reached for text in pair}


def _sorted(reached: Reached) -> Reached:
    """Sessions first, then the surest."""

    def rank(text: str) -> tuple[bool, int, str]:
        return (not classify(text).names_session, -reached[text][1], text)

    return {text: reached[text] for text in sorted(reached, key=rank)}


def _choose_chief(ids: frozenset[str], events: Iterable[Event]) -> str:
    """The media server's ID of the session if there is one, else the one seen in most places."""
    sure = [text for text in ids if classify(text).names_session]
    if len(sure) == 1 and classify(sure[0]).kind is not IdKind.MALFORMED:
        return sure[0]
    presence, named = build_presence(events), _named_as_sessions(events)

    def rank(text: str) -> tuple[bool, bool, bool, int, str]:
        facets = presence.get(text, frozenset())
        return (_names_session(text, named), WHIP in facets, NAMED in facets, len(facets), text)

    return max(ids, key=rank)


def _named_as_sessions(events: Iterable[Event]) -> frozenset[str]:
    return frozenset(text for event in events for text in event.entry.ids_in(*SESSION_ROLES))


def _names_session(text: str, named: frozenset[str]) -> bool:
    """By its form, or where that tells nothing, by the keys under which it stands."""
    found = classify(text)
    return found.names_session and (found.kind is not IdKind.MALFORMED or text in named)


def is_hub(asked: str, finder: Finder) -> bool:
    """Whether `asked` itself is shared by several sessions: a lost ID, or a trace of many clients."""
    if is_crowded(asked, finder):
        return True
    events = finder.mentioning(frozenset({asked}))
    links = tuple(link for link in find_line_links(events) if link.score >= JOINED)
    nearby = frozenset({asked, *(link.first for link in links), *(link.second for link in links)})
    around = finder.mentioning(nearby)
    return asked in find_hubs(tuple(find_line_links(around)), around)


def is_crowded(asked: str, finder: Finder) -> bool:
    """Whether that is plain without a look at its lines, which may be all that there are."""
    return is_lost(asked) or asked in finder.crowded


def _reach(start: str, links: tuple[Link, ...], hubs: frozenset[str]) -> dict[str, tuple[Link, int]]:
    """ID -> its link and the score of the best way to it from `start`; hubs end a way."""
    beside: defaultdict[str, list[Link]] = defaultdict(list)
    for link in sorted(links, key=lambda one: (-one.score, one.first, one.second, one.rule)):
        beside[link.first].append(link)
        beside[link.second].append(link)
    found: dict[str, tuple[Link, int]] = {}
    frontier = [(100, start)]
    while frontier:
        reached_by, text = frontier.pop(frontier.index(max(frontier)))
        for link in beside[text] if text not in hubs else ():
            other = link.second if link.first == text else link.first
            score = min(reached_by, link.score)
            if other != start and (other not in found or score > found[other][1]):
                found[other] = (link, score)
                frontier.append((score, other))
    return found


def find_hubs(links: Iterable[Link], events: Iterable[Event]) -> frozenset[str]:
    """The connections and traces that several callers share."""
    beside = _stand_beside_sessions(links)
    if not beside:
        return frozenset()
    presence, named = build_presence(events), _named_as_sessions(events)
    sockets = frozenset(text for event in events for text in event.entry.ids_in("connection")) - named
    shareable = (one for one in beside if one in sockets or classify(one).kind in _SHAREABLE)
    sessions = {one: [text for text in beside[one] if _names_session(text, named)] for one in shareable}
    return frozenset(
        hub
        for hub, ids in sessions.items()
        if len(ids) > SHARED_BY or _are_several([presence.get(text, frozenset()) for text in ids])
    )


def _stand_beside_sessions(links: Iterable[Link]) -> dict[str, set[str]]:
    """ID -> what it is linked to and may name a session, where that is more than one: few IDs are so."""
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        for one, other in ((link.first, link.second), (link.second, link.first)):
            if classify(other).names_session:
                beside[one].add(other)
    return {one: others for one, others in beside.items() if len(others) > 1}


def _are_several(seen: Sequence[frozenset[str]]) -> bool:
    """Whether these are callers of their own: more than one has media, or all that a session needs."""
    whole = sum(bool(BIND in facets and facets & {WHIP, WS_AUDIO}) for facets in seen)
    return whole > 1 or sum(WHIP in facets for facets in seen) > 1
