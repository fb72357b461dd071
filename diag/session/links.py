"""Which IDs belong together, by which rule, how sure, and on what evidence.

Every line that names two IDs links them with the score of its rule. Links of `JOINED` or more
merge; weaker ones make a candidate. A connection or a trace that reaches several sessions which
each have media of their own is a hub: it is shared, so it joins nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from diag.model.findings import Evidence
from diag.model.identifiers import IdKind, classify, is_lost
from diag.model.records import IdMention, KafkaRecord
from diag.model.session import JOINED, Event, Link
from diag.session.presence import NAMED, SESSION_ROLES, WHIP, build_presence

LINKING_ROLES = (*SESSION_ROLES, "connection", "trace")

SCORES = {
    "binding": 100,
    "same line": 95,
    "mapping line": 95,
    "trace": 92,
    "socket message": 90,
    "Kafka record": 90,
    "guessed mapping": 60,
    "conflicting keys": 60,
}
"""How sure each rule is. Two IDs under different keys of one line are a conflict, not a proof."""

MOST_IDS = 200
"""IDs of one closure beyond which it is no session but a shared ID; bounds work on hostile input."""

_SHARED_BY = 3  # sessions that one connection or trace may name before it counts as shared

# These lines name another client's socket beside the session that they look for.
_NO_LINK_EVENTS = frozenset({"bcast.skipped"})
_MAPPING_RULES = {"map.direct": "mapping line", "map.self": "mapping line", "map.guessed": "guessed mapping"}
_CONNECTION_RULES = {"ws.bind": "binding", "ws.raw": "socket message", "ws.message": "socket message"}

Find = Callable[[frozenset[str]], tuple[Event, ...]]


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


def close_over(asked: str, find: Find, records: Iterable[KafkaRecord] = ()) -> Closure:
    """All IDs that `asked` is joined to; `find` gives the events that mention any of a set of IDs.

    The search widens until it finds no new ID. Hubs are known only once their sessions were looked
    at, so it passes everything first and decides at the end.
    """
    known = frozenset({asked})
    kafka_links = tuple(_kafka_links(records))
    while True:
        events = find(known)
        links = (*_event_links(events), *kafka_links)
        strong = tuple(link for link in links if link.score >= JOINED)
        wider = known.union(_reach(asked, strong, frozenset()))
        if wider == known or len(wider) > MOST_IDS:
            break
        known = wider
    hubs = _find_hubs(strong, events) - {asked}
    ids = frozenset({asked, *_reach(asked, strong, hubs)})
    chief = _choose_chief(ids - hubs, events)
    weak = [link for link in links if link.score < JOINED and (link.first in ids) != (link.second in ids)]
    candidates = {(link.second if link.first in ids else link.first): (link, link.score) for link in weak}
    joined = _reach(chief, strong, hubs)
    return Closure(chief, _sorted(joined), _sorted(candidates), hubs & ids)


def _sorted(reached: Reached) -> Reached:
    """Sessions first, then the surest."""

    def rank(text: str) -> tuple[bool, int, str]:
        return (not classify(text).names_session, -reached[text][1], text)

    return {text: reached[text] for text in sorted(reached, key=rank)}


def _choose_chief(ids: frozenset[str], events: Iterable[Event]) -> str:
    """The media server's ID of the session if there is one, else the one seen in most places."""
    presence = build_presence(events)

    def rank(text: str) -> tuple[bool, bool, bool, int, str]:
        facets = presence.get(text, frozenset())
        return (classify(text).names_session, WHIP in facets, NAMED in facets, len(facets), text)

    return max(ids, key=rank)


def is_hub(asked: str, find: Find) -> bool:
    """Whether `asked` itself is shared by several sessions: a lost ID, or a trace of many clients."""
    if is_lost(asked):
        return True
    events = find(frozenset({asked}))
    links = tuple(link for link in _event_links(events) if link.score >= JOINED)
    nearby = frozenset({asked, *(link.first for link in links), *(link.second for link in links)})
    return asked in _find_hubs(tuple(_event_links(find(nearby))), find(nearby))


def _event_links(events: Iterable[Event]) -> Iterator[Link]:
    """The links that the lines make, the first line of each pair and rule standing for all."""
    seen: dict[tuple[str, str, str], Link] = {}
    for event in events:
        if event.name in _NO_LINK_EVENTS:
            continue
        mentions = [m for m in event.entry.ids if m.role in LINKING_ROLES and not is_lost(m.text)]
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
    return _MAPPING_RULES.get(event.name, "conflicting keys")


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
    presence = build_presence(events)
    sessions: defaultdict[str, set[str]] = defaultdict(set)
    for link in links:
        for one, other in ((link.first, link.second), (link.second, link.first)):
            if classify(other).names_session and classify(one).kind in (IdKind.CONNECTION, IdKind.TRACE):
                sessions[one].add(other)
    return frozenset(
        hub
        for hub, named in sessions.items()
        if len(named) > _SHARED_BY or sum(WHIP in presence.get(text, ()) for text in named) > 1
    )
