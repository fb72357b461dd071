"""Where the IDs of one client part: at which hop, and how the second came to be.

A session's ID is handed on from the browser to the media server (WHIP header), to the orchestrator
(WebSocket), and from the media server to the orchestrator (Kafka key). Where a hop loses it, one part
of the system goes on under another ID, and each of the two IDs has just the half that the other lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diag.model.identifiers import IdKind, classify
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.session import Event, Session
from diag.session.presence import BIND, CONSUME, PUBLISH, SESSION_ROLES, TURN, WHIP, WS_AUDIO

TOGETHER_NS = 60 * NS_PER_S
"""Both halves of one call begin within a minute."""

_MEDIA_HALF = frozenset({WHIP, PUBLISH})
_WORK_HALF = frozenset({CONSUME, TURN})
_SAME_INSTANT_NS = 5 * NS_PER_MS
_SOCKET_MESSAGES = ("ws.message", "ws.raw")


@dataclass(frozen=True, slots=True)
class Parting:
    """One hop that lost the session's ID.

    Attributes:
        media: the ID under which the media server worked.
        other: the ID with which it went on behind the hop.
        hop: ``WHIP header``, ``WebSocket (session_info)``, ``Kafka key``.
        kind: ``never sent``, ``sent and refused``, ``sent and not read``, ``re-minted``, ``truncated``,
            ``re-cased``, ``unit changed``, or ``another ID was sent``.
    """

    media: str
    other: str
    hop: str
    kind: str


def find_partings(session: Session, others: tuple[str, ...] = ()) -> tuple[Parting, ...]:
    """Each pair of complementary halves among the session's IDs.

    Args:
        session: whose IDs, and what was seen of them, are looked at.
        others: IDs that may be a half of it as well; then only pairs with one of these count.
    """
    ids = (*session.session_ids, *others)
    pairs = [*_socket_pairs(session, ids)] or [*_key_pairs(session, ids)]
    wanted = ((m, o) for m, o in pairs if not others or len({m, o} & set(others)) == 1)
    return tuple(
        _describe(session, media, other) for media, other in wanted if _began_together(session, media, other)
    )


def is_whole(session: Session, text: str) -> bool:
    """Whether one ID has both halves, or the one half that a session over a socket has."""
    facets = session.presence.get(text, frozenset())
    return BIND in facets and bool(facets & {*_MEDIA_HALF, WS_AUDIO})


def first_event(session: Session, text: str, *prefixes: str) -> Event | None:
    """The first event of these kinds that names `text`, the neighbours' among them."""
    found = (
        event
        for event in (*session.events, *session.neighbours)
        if event.name.startswith(prefixes) and text in event.entry.ids_in(*SESSION_ROLES)
    )
    return min(found, key=lambda event: event.time_ns, default=None)


def _socket_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Media without a socket, and a socket without media. Consumption and turns count for neither."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    media = [text for text, seen in facets.items() if seen & _MEDIA_HALF and BIND not in seen]
    sockets = [text for text, seen in facets.items() if BIND in seen and not seen & _MEDIA_HALF]
    yield from ((m, s) for m in media for s in sockets)


def _key_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Audio that nobody worked on, and work on audio that nobody published."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    published = [t for t, seen in facets.items() if seen & _MEDIA_HALF and not seen & {*_WORK_HALF, WS_AUDIO}]
    worked = [
        t for t, seen in facets.items() if seen & _WORK_HALF and not seen & {*_MEDIA_HALF, BIND, WS_AUDIO}
    ]
    yield from ((p, w) for p in published for w in worked)


def _began_together(session: Session, media: str, other: str) -> bool:
    begins = (
        first_event(session, media, "whip.", "media."),
        first_event(session, other, "ws.", "kafka.", "turn.", "audio."),
    )
    times = [event.time_ns for event in begins if event is not None]
    return len(times) < len(begins) or max(times) - min(times) <= TOGETHER_NS


def _describe(session: Session, media: str, other: str) -> Parting:
    hop, kind = _hop_to(session, other), _kind_of(media, other)
    if kind:
        return Parting(media, other, hop, kind)
    whip = first_event(session, media, "whip.session")
    if whip is not None and whip.value("origin") == "generated":
        kind = "sent and refused" if whip.entry.field("refused") else "never sent"
        return Parting(media, other, "WHIP header", kind)
    if classify(other).kind is IdKind.FALLBACK:
        return Parting(media, other, hop, "never sent")
    kind = "sent and not read" if _was_sent(session, media, other) else "another ID was sent"
    return Parting(media, other, hop, kind)


def _hop_to(session: Session, other: str) -> str:
    bind = first_event(session, other, "ws.bind")
    if bind is None:
        return "Kafka key"
    via = bind.value("via")
    return f"WebSocket ({via})" if via else "WebSocket"


def _kind_of(media: str, other: str) -> str:
    """What the two texts tell by themselves; empty if nothing."""
    if media.lower() == other.lower():
        return "re-cased"
    if media.startswith(other) or other.startswith(media):
        return "truncated"
    first, second = classify(media), classify(other)
    if first.minted_ns is None or second.minted_ns is None:
        return ""
    if abs(first.minted_ns - second.minted_ns) > _SAME_INSTANT_NS:
        return ""
    return "unit changed" if first.unit != second.unit else "re-minted"


def _was_sent(session: Session, media: str, other: str) -> bool:
    """Whether the socket that is bound to `other` brought the media's ID, too."""
    bind = first_event(session, other, "ws.bind")
    connections = set(bind.entry.ids_in("connection")) if bind else set()
    return any(
        media in event.entry.ids_in("session") and connections & set(event.entry.ids_in("connection"))
        for event in session.named(*_SOCKET_MESSAGES)
    )
