"""Sessions nearby that could be the missing half: candidates by time, never merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diag.model.events import Event
from diag.model.identifiers import classify, is_lost
from diag.model.instants import NS_PER_S
from diag.model.records import SESSION_ROLES
from diag.model.session import Alias, Neighbours
from diag.model.window import MINUTE_NS
from diag.session.identity.presence import (
    BIND,
    HEARD,
    MEDIA_FACETS,
    MEDIA_HALF,
    PUBLISH,
    REFUSED,
    WHIP,
    WORK_HALF,
    WS_AUDIO,
    Presence,
    build_presence,
)

NEARBY_NS = 60 * NS_PER_S
TIME_SCORE = 50

_OLD_NS = 10 * MINUTE_NS
"""An ID that is older when work on it begins is of a call that is over: its audio is read again, or late."""

_CALL_EVENTS = ("ws.bind", "whip.session", "whip.established")
_WORK_EVENTS = ("turn.trigger", "turn.start", "audio.session", "kafka.consume")


@dataclass(frozen=True, slots=True)
class _Half:
    """What one half of a session shows, and what it must not show.

    Attributes:
        shown_by: the events that place it in time.
        anchors: the events of the other half that it must be near to.
    """

    any_of: frozenset[str]
    none_of: frozenset[str]
    shown_by: tuple[str, ...]
    anchors: tuple[str, ...]

    def fits(self, facets: frozenset[str]) -> bool:
        return bool(facets & self.any_of) and not facets & self.none_of


_SOCKET = _Half(frozenset({BIND}), MEDIA_FACETS | {WS_AUDIO}, ("ws.bind",), _CALL_EVENTS)
_MEDIA = _Half(
    frozenset({WHIP}), frozenset({BIND, WS_AUDIO}), ("whip.session", "whip.established"), _CALL_EVENTS
)
_WORKER = _Half(WORK_HALF, MEDIA_FACETS | {BIND, WS_AUDIO}, _WORK_EVENTS, ("media.publish",))
_PUBLISHER = _Half(MEDIA_HALF, WORK_HALF | {WS_AUDIO}, ("whip.session", "whip.established"), _WORK_EVENTS)


def find_partners(
    own: Sequence[Event], presence: Presence, neighbours: Neighbours, members: frozenset[str]
) -> tuple[Alias, ...]:
    """Sessions that have exactly the half that this one lacks, within a minute, in order of time.

    Args:
        own: the session's events.
        presence: where its IDs were seen in these.
        neighbours: what stands around them.
        members: its IDs.
    """
    mine = {facet for text in members for facet in presence.get(text, ())}
    if WHIP in mine and not mine & HEARD:
        refused = tuple(_find_refused(own, neighbours, members))
        if refused:
            return refused
    missing = _find_missing_half(mine)
    if missing is None:
        return ()
    anchors = [event.time_ns for event in own if event.name in missing.anchors]
    if missing is _PUBLISHER and _are_old(members, anchors):
        return ()
    near = [event for event in neighbours.named(*missing.shown_by) if _is_near(event, anchors)]
    texts = {text for event in near for text in event.entry.ids_in(*SESSION_ROLES) if not is_lost(text)}
    if missing is _WORKER:
        texts = {text for text in texts if not _is_old(text, near[0].time_ns)}
    others = build_presence(neighbours.mentioning(*texts))
    halves = texts.difference(members).intersection(t for t, seen in others.items() if missing.fits(seen))
    return tuple(_nearby(near, halves))


def _find_refused(own: Iterable[Event], neighbours: Neighbours, members: frozenset[str]) -> Iterator[Alias]:
    """IDs that nobody knows, for which listening was refused while this session waited to be listened to."""
    anchors = [event.time_ns for event in own if event.name in _CALL_EVENTS]
    near = [event for event in neighbours.named("media.listen_failed") if _is_near(event, anchors)]
    texts = {text for event in near for text in event.entry.ids_in(*SESSION_ROLES, "text")} - members
    known = build_presence(neighbours.mentioning(*texts))
    wanted = {text for text in texts if not is_lost(text) and not known.get(text)}
    yield from _nearby(near, wanted, (*SESSION_ROLES, "text"))


def _find_missing_half(mine: set[str]) -> _Half | None:
    """What a session with these facets lacks.

    Whose audio came over the socket lacks nothing, and whose socket was not understood has one.
    """
    if mine & {WS_AUDIO, REFUSED}:
        return None
    if BIND not in mine and WHIP not in mine:
        return _PUBLISHER if mine & WORK_HALF and not mine & MEDIA_FACETS else None
    if BIND in mine and WHIP in mine:
        return _WORKER if PUBLISH in mine and not mine & WORK_HALF else None
    return _SOCKET if WHIP in mine else _MEDIA


def _are_old(members: Iterable[str], anchors: Sequence[int]) -> bool:
    own = [text for text in members if classify(text).names_session]
    return bool(anchors) and all(_is_old(text, min(anchors)) for text in own)


def _is_old(text: str, time_ns: int) -> bool:
    minted_ns = classify(text).minted_ns
    return minted_ns is not None and time_ns - minted_ns > _OLD_NS


def _is_near(event: Event, anchors: Iterable[int]) -> bool:
    return any(abs(event.time_ns - anchor) <= NEARBY_NS for anchor in anchors)


def _nearby(
    events: Iterable[Event], halves: set[str], roles: tuple[str, ...] = SESSION_ROLES
) -> Iterator[Alias]:
    """Each of `halves` once, by its first event."""
    seen: set[str] = set()
    for event in events:
        for text in event.entry.ids_in(*roles):
            if text in halves and text not in seen:
                seen.add(text)
                yield Alias(classify(text), "time", TIME_SCORE, event.to_evidence())
