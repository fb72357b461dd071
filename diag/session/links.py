"""Which IDs belong together, by which rule, how sure, and on what evidence.

Every line that names two IDs links them with the score of its rule, and so do two writings of one
ID. Links of `JOINED` or more merge; weaker ones make a candidate. A connection or a trace that
reaches several sessions which each have media of their own is a hub: it is shared, so it joins nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

from diag.model.findings import Evidence
from diag.model.identifiers import IdKind, classify, is_lost
from diag.model.records import IdMention, KafkaRecord
from diag.model.session import JOINED, Event, Link
from diag.session.presence import BIND, MEDIA_FACETS, NAMED, SESSION_ROLES, WHIP, WS_AUDIO, build_presence

LINKING_ROLES = (*SESSION_ROLES, "connection", "trace")

MAPPED, GUESSED = "mapping line", "guessed mapping"

SCORES = {
    "binding": 100,
    "same line": 95,
    "trace": 92,
    "socket message": 90,
    "Kafka record": 90,
    "URL-encoded": 95,
    "re-cased": 95,
    "truncated": 90,
    "unit changed": 90,
    MAPPED: 60,
    GUESSED: 60,
    "conflicting keys": 60,
}
"""How sure each rule is. Two IDs under different keys of one line are a conflict, not a proof."""

FITTING_MAPPING = 85
"""A mapping between the only two IDs that each lack what the other has.

The reference orchestrator stores its guess, and finds it as an existing mapping the next time.
"""

MOST_IDS = 200
"""IDs of one closure beyond which it is no session but a shared ID; bounds work on hostile input."""

_SHAREABLE = (IdKind.CONNECTION, IdKind.TRACE)
_SHARED_BY = 3  # sessions that one connection or trace may name before it counts as shared

# These lines name another client's socket beside the session that they look for.
_NO_LINK_EVENTS = frozenset({"bcast.skipped"})
# This one names the ID that it was asked for in its error text only.
_TEXT_EVENTS = frozenset({"media.listen_failed"})
_MAPPING_EVENTS = {"map.direct": MAPPED, "map.self": MAPPED, "map.guessed": GUESSED}
MAPPING_RULES = (MAPPED, GUESSED)
_CONNECTION_RULES = {"ws.bind": "binding", "ws.raw": "socket message", "ws.message": "socket message"}

Reached = Mapping[str, tuple[Link, int]]


class Finder(Protocol):
    """Where events are looked up."""

    def mentioning(self, ids: frozenset[str]) -> tuple[Event, ...]:
        """The events that mention one of `ids`."""

    def kin_of(self, ids: frozenset[str]) -> tuple[tuple[str, str, str], ...]:
        """Other writings of `ids`: ID, other writing, rule."""


@dataclass(frozen=True, slots=True)
class Closure:
    """The IDs of one session.

    Attributes:
        chief: the ID that stands for all, the same whichever of them was asked for.
        joined: each other ID -> the link along which `chief` reaches it, and the weakest score on the way.
        candidates: the same for IDs beyond a weak link.
        hubs: shared connections and traces: reached, never passed.
        considered: all IDs whose events decided what is joined.
    """

    chief: str
    joined: Reached
    candidates: Reached
    hubs: frozenset[str]
    considered: frozenset[str]

    @property
    def members(self) -> frozenset[str]:
        """Every ID of the session; hubs are not its own."""
        return frozenset({self.chief, *self.joined}) - self.hubs


def close_over(asked: str, finder: Finder, records: Iterable[KafkaRecord] = ()) -> Closure:
    """All IDs that `asked` is joined to.

    The search widens until it finds no new ID. Hubs are known only once their sessions were looked
    at, so it passes everything first and decides at the end.
    """
    considered, kafka_links = frozenset({asked}), tuple(_kafka_links(records))
    while True:
        events = finder.mentioning(considered)
        links = _weigh((*_event_links(events), *_kin_links(finder, considered, events), *kafka_links), events)
        strong = tuple(link for link in links if link.score >= JOINED)
        reached = {asked, *_reach(asked, strong, frozenset())}
        wider = considered.union(reached, _mapped_partners(links, reached))
        if wider == considered or len(wider) > MOST_IDS:
            break
        considered = wider
    hubs = _find_hubs(strong, events) - {asked}
    ids = frozenset({asked, *_reach(asked, strong, hubs)})
    chief = _choose_chief(ids - hubs, events)
    weak = [link for link in links if link.score < JOINED and (link.first in ids) != (link.second in ids)]
    candidates = {(link.second if link.first in ids else link.first): (link, link.score) for link in weak}
    joined = _reach(chief, strong, hubs)
    return Closure(chief, _sorted(joined), _sorted(candidates), hubs & ids, considered)


def _kin_links(finder: Finder, known: frozenset[str], events: Sequence[Event]) -> Iterator[Link]:
    """Links between writings of one ID; the first line of the one that is less known is the evidence."""
    for text, other, rule in finder.kin_of(known):
        event = next((e for e in (*events, *finder.mentioning(frozenset({other}))) if _names(e, other)), None)
        if event is not None:
            first, second = sorted((text, other))
            yield Link(first, second, rule, SCORES[rule], event.to_evidence())


def _names(event: Event, text: str) -> bool:
    return any(mention.text == text for mention in event.entry.ids)


def _weigh(links: tuple[Link, ...], events: Sequence[Event]) -> tuple[Link, ...]:
    """The links, a mapping stronger where its two IDs are each other's only possible half."""
    mappings = [link for link in links if link.rule in MAPPING_RULES]
    if not mappings:
        return links
    pairs = {(link.first, link.second) for link in mappings}
    guessed = {(link.first, link.second) for link in mappings if link.rule == GUESSED}
    named = Counter(text for pair in pairs for text in pair)
    presence = build_presence(events)

    def weigh(link: Link) -> Link | None:
        if link.rule not in MAPPING_RULES:
            return link
        if link.rule != GUESSED and (link.first, link.second) in guessed:
            return None  # it found what had been guessed before
        one, other = (presence.get(text, frozenset()) for text in (link.first, link.second))
        fits = (_are_halves(one, other) or _are_halves(other, one)) and named[link.first] == 1 == named[
            link.second
        ]
        return replace(link, score=FITTING_MAPPING) if fits else link

    return tuple(weighed for link in links if (weighed := weigh(link)) is not None)


def _are_halves(media: frozenset[str], socket: frozenset[str]) -> bool:
    return bool(media & MEDIA_FACETS) and BIND not in media and BIND in socket and not socket & MEDIA_FACETS


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
    if is_lost(asked):
        return True
    events = finder.mentioning(frozenset({asked}))
    links = tuple(link for link in _event_links(events) if link.score >= JOINED)
    nearby = frozenset({asked, *(link.first for link in links), *(link.second for link in links)})
    around = finder.mentioning(nearby)
    return asked in _find_hubs(tuple(_event_links(around)), around)


def _event_links(events: Iterable[Event]) -> Iterator[Link]:
    """The links that the lines make, the first line of each pair and rule standing for all."""
    seen: dict[tuple[str, str, str], Link] = {}
    for event in events:
        if event.name in _NO_LINK_EVENTS:
            continue
        roles = (*LINKING_ROLES, "text") if event.name in _TEXT_EVENTS else LINKING_ROLES
        mentions = [m for m in event.entry.ids if m.role in roles and not is_lost(m.text)]
        for first, second in combinations(mentions, 2):
            if first.text == second.text:
                continue
            rule = _rule_of(first, second, event)
            pair = sorted((first.text, second.text))
            key = (pair[0], pair[1], rule)
            if key not in seen:
                seen[key] = Link(pair[0], pair[1], rule, SCORES[rule], event.to_evidence())
    yield from seen.values()


def _rule_of(first: IdMention, second: IdMention, event: Event) -> str:
    roles = {first.role, second.role}
    if "trace" in roles:
        return "trace"
    if "connection" in roles:
        return _CONNECTION_RULES.get(event.name, "same line")
    return _MAPPING_EVENTS.get(event.name, "conflicting keys")


def _kafka_links(records: Iterable[KafkaRecord]) -> Iterator[Link]:
    """A record whose key, header and JSON name different sessions ties them together.

    A text that stands beside many sessions (a pod's name as the key of a topic) is none of theirs.
    """
    found: dict[tuple[str, str], Evidence] = {}
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        ids = sorted(text for text in record.session_ids if classify(text).names_session)
        for first, second in combinations(ids, 2):
            beside[first].add(second)
            beside[second].add(first)
            text = f"record with key {record.key} names {first} and {second}"
            found.setdefault((first, second), Evidence(record.time_ns, record.ref, "kafka", text))
    for (first, second), evidence in found.items():
        if max(len(beside[first]), len(beside[second])) <= _SHARED_BY:
            yield Link(first, second, "Kafka record", SCORES["Kafka record"], evidence)


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


def _find_hubs(links: Iterable[Link], events: Iterable[Event]) -> frozenset[str]:
    presence, named = build_presence(events), _named_as_sessions(events)
    sockets = frozenset(text for event in events for text in event.entry.ids_in("connection")) - named
    sessions: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        for one, other in ((link.first, link.second), (link.second, link.first)):
            if _names_session(other, named) and (one in sockets or classify(one).kind in _SHAREABLE):
                sessions[one].add(other)
    return frozenset(
        hub
        for hub, ids in sessions.items()
        if len(ids) > _SHARED_BY or _are_several([presence.get(text, frozenset()) for text in ids])
    )


def _are_several(seen: Sequence[frozenset[str]]) -> bool:
    """Whether these are callers of their own: more than one has media, or all that a session needs."""
    whole = sum(bool(BIND in facets and facets & {WHIP, WS_AUDIO}) for facets in seen)
    return whole > 1 or sum(WHIP in facets for facets in seen) > 1
