"""Sessions nearby that could be the missing half: candidates by time, never merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diag.model.identifiers import classify
from diag.model.instants import NS_PER_S
from diag.model.session import Alias, Event
from diag.session.presence import BIND, MEDIA_FACETS, SESSION_ROLES, WHIP, WS_AUDIO, build_presence

NEARBY_NS = 60 * NS_PER_S
TIME_SCORE = 50

_SOCKET_EVENTS: tuple[str, ...] = ("ws.bind",)
_MEDIA_EVENTS = ("whip.session", "whip.established")


def find_partners(
    own_events: Iterable[Event], neighbours: Iterable[Event], members: frozenset[str]
) -> tuple[Alias, ...]:
    """Sessions that have exactly the half that this one lacks, within a minute, in order of time."""
    own, other = tuple(own_events), tuple(neighbours)
    presence = build_presence(own)
    mine = {facet for text in members for facet in presence.get(text, ())}
    # whose audio came over the socket lacks no half
    if WS_AUDIO in mine or (BIND in mine) == (WHIP in mine):
        return ()
    if WHIP in mine:
        wanted, unwanted, kinds = BIND, MEDIA_FACETS, _SOCKET_EVENTS
    else:
        wanted, unwanted, kinds = WHIP, frozenset({BIND}), _MEDIA_EVENTS
    halves = frozenset(
        text
        for text, facets in build_presence(other).items()
        if wanted in facets and not facets & unwanted and text not in members
    )
    anchors = [event.time_ns for event in own if event.name in (*_SOCKET_EVENTS, *_MEDIA_EVENTS)]
    return tuple(_nearby((event for event in other if event.name in kinds), halves, anchors))


def _nearby(events: Iterable[Event], halves: frozenset[str], anchors: list[int]) -> Iterator[Alias]:
    """Each of `halves` once, by its first event within a minute of an anchor."""
    seen: set[str] = set()
    for event in events:
        for text in event.entry.ids_in(*SESSION_ROLES):
            near = any(abs(event.time_ns - anchor) <= NEARBY_NS for anchor in anchors)
            if near and text in halves and text not in seen:
                seen.add(text)
                yield Alias(classify(text), "time", TIME_SCORE, event.to_evidence())
