"""What links two IDs, with how sure each rule is.

Two IDs in one line, in one record, or in two writings of one text. A mapping line says what the
orchestrator took two IDs for; whether it was right, their halves tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Protocol

from diag.model.events import Event
from diag.model.findings import Evidence
from diag.model.identifiers import classify, is_lost
from diag.model.records import SESSION_ROLES, IdMention, Ids, KafkaRecord
from diag.model.session import Link
from diag.session.identity.presence import BIND, MEDIA_FACETS, build_presence

LINKING_ROLES = (*SESSION_ROLES, "connection", "trace")

MOST_IDS = 200
"""IDs of one closure, or sessions beside one ID, beyond which an ID is shared; bounds hostile input."""

MOST_TIED = 16
"""IDs of one line beyond which it lists them, and ties none."""

MAPPED, GUESSED = "mapping line", "guessed mapping"
MAPPING_RULES = (MAPPED, GUESSED)

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

# These lines name another client's socket beside the session that they look for.
NO_LINK_EVENTS = frozenset({"bcast.skipped"})
# This one names the ID that it was asked for in its error text only.
TEXT_EVENTS = frozenset({"media.listen_failed"})
SHARED_BY = 3
"""Sessions that one connection, trace or record's text may stand beside before it counts as shared."""

_MAPPING_EVENTS = {"map.direct": MAPPED, "map.self": MAPPED, "map.guessed": GUESSED}
_CONNECTION_RULES = {"ws.bind": "binding", "ws.raw": "socket message", "ws.message": "socket message"}


class Finder(Protocol):
    """Where events are looked up."""

    @property
    def crowded(self) -> frozenset[str]:
        """IDs that stand beside more sessions than any session has IDs: shared, and never passed."""

    def mentioning(self, ids: frozenset[str]) -> tuple[Event, ...]:
        """The events that mention one of `ids`."""

    def kin_of(self, ids: frozenset[str]) -> tuple[tuple[str, str, str], ...]:
        """Other writings of `ids`: ID, other writing, rule."""


def find_line_links(events: Iterable[Event]) -> Iterator[Link]:
    """The links that the lines make, the first line of each pair and rule standing for all."""
    seen: dict[tuple[str, str, str], Link] = {}
    looked_at: set[tuple[str, Ids]] = set()
    for event in events:
        alike = (event.name, event.entry.ids)
        if alike in looked_at:
            continue
        looked_at.add(alike)
        if event.name in NO_LINK_EVENTS or len(event.entry.ids) < 2:
            continue
        roles = (*LINKING_ROLES, "text") if event.name in TEXT_EVENTS else LINKING_ROLES
        mentions = [m for m in event.entry.ids if m.role in roles and not is_lost(m.text)]
        for first, second in combinations(mentions, 2) if len(mentions) <= MOST_TIED else ():
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


def find_record_links(records: Iterable[KafkaRecord]) -> Iterator[Link]:
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
        if max(len(beside[first]), len(beside[second])) <= SHARED_BY:
            yield Link(first, second, "Kafka record", SCORES["Kafka record"], evidence)


def find_kin_links(finder: Finder, known: frozenset[str], events: Sequence[Event]) -> Iterator[Link]:
    """Links between writings of one ID; the first line of the one that is less known is the evidence."""
    for text, other, rule in finder.kin_of(known):
        event = next((e for e in (*events, *finder.mentioning(frozenset({other}))) if _names(e, other)), None)
        if event is not None:
            first, second = sorted((text, other))
            yield Link(first, second, rule, SCORES[rule], event.to_evidence())


def _names(event: Event, text: str) -> bool:
    return any(mention.text == text for mention in event.entry.ids)


def weigh_mappings(links: tuple[Link, ...], events: Sequence[Event]) -> tuple[Link, ...]:
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
        return Link(link.first, link.second, link.rule, FITTING_MAPPING, link.evidence) if fits else link

    return tuple(weighed for link in links if (weighed := weigh(link)) is not None)


def _are_halves(media: frozenset[str], socket: frozenset[str]) -> bool:
    return bool(media & MEDIA_FACETS) and BIND not in media and BIND in socket and not socket & MEDIA_FACETS
