"""Where the IDs of one client part: at which hop, and how the second came to be.

A session's ID is handed on from the browser to the media server (WHIP header), to the orchestrator
(WebSocket), and from the media server to the orchestrator (Kafka key). Where a hop loses it, one part
of the system goes on under another ID, and each of the two IDs has just the half that the other lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from diag.model.events import Event
from diag.model.identifiers import IdKind, classify
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.records import SESSION_ROLES
from diag.model.session import Session
from diag.session.identity.kinship import random_of
from diag.session.identity.presence import (
    BIND,
    GRPC,
    LISTEN,
    MEDIA_FACETS,
    MEDIA_HALF,
    WHIP,
    WORK_HALF,
    WS_AUDIO,
)

TOGETHER_NS = 60 * NS_PER_S
"""Both halves of one call begin within a minute."""

_SAME_INSTANT_NS = 5 * NS_PER_MS
_THIRD_PLACES = ("media.listen_failed",)
_CLIENT = "frontend"
_SOCKET_MESSAGES = ("ws.message", "ws.raw")


@dataclass(frozen=True, slots=True)
class Parting:
    """One hop that lost the session's ID.

    Attributes:
        media: the ID under which the media server worked.
        other: the ID with which it went on behind the hop; empty if it went on without one.
        hop: ``WHIP header``, ``WebSocket (session_info)``, ``Kafka key``,
            ``gRPC stream`` or ``/listening body``.
        kind: ``never sent``, ``sent and refused``, ``sent and not read``, ``re-minted``, ``truncated``,
            ``re-cased``, ``URL-encoded``, ``unit changed``, or ``another ID was sent``.
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
    pairs = next(filter(None, ([*find(session, ids)] for find in _PAIRS)), [])
    wanted = ((m, o) for m, o in pairs if not others or len({m, o} & set(others)) == 1)
    return tuple(
        _describe(session, media, other) for media, other in wanted if _began_together(session, media, other)
    )


def find_unread(session: Session) -> tuple[Parting, Event] | None:
    """The session's ID reached the orchestrator over a socket, and the message was not understood."""
    for text in session.session_ids:
        facets = session.presence.get(text, frozenset())
        refused = first_event(session, text, "ws.refused") or next(iter(session.named("ws.refused")), None)
        if refused is not None and facets & MEDIA_HALF and BIND not in facets:
            return Parting(text, "", "WebSocket (session_info)", "sent and not read"), refused
    return None


def is_whole(session: Session, text: str) -> bool:
    """Whether one ID has both halves, or the one half that a session over a socket has."""
    facets = session.presence.get(text, frozenset())
    return BIND in facets and bool(facets & {*MEDIA_HALF, WS_AUDIO})


def first_event(session: Session, text: str, *prefixes: str) -> Event | None:
    """The first event of these kinds that names `text`, the neighbours' among them."""
    around = session.neighbours.mentioning(text)
    neighbours = (event for event in around if event.name.startswith(prefixes))
    found = (
        event
        for event in (*session.named_like(*prefixes), *neighbours)
        if text in event.entry.ids_in(*SESSION_ROLES)
    )
    return min(found, key=lambda event: event.time_ns, default=None)


def _socket_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Media without a socket, and a socket without media. Consumption and turns count for neither."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    media = [text for text, seen in facets.items() if seen & MEDIA_HALF and BIND not in seen]
    sockets = [text for text, seen in facets.items() if BIND in seen and not seen & MEDIA_HALF]
    yield from ((m, s) for m in media for s in sockets)


def _key_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Audio that nobody worked on, and work on audio that nobody published."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    published = [t for t, seen in facets.items() if seen & MEDIA_HALF and not seen & {*WORK_HALF, WS_AUDIO}]
    worked = [
        t for t, seen in facets.items() if seen & WORK_HALF and not seen & {*MEDIA_HALF, BIND, WS_AUDIO}
    ]
    yield from ((p, w) for p in published for w in worked)


def _stream_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Media that nobody worked on, and a stream for which the orchestrator minted an ID of its own."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    media = [t for t, seen in facets.items() if seen & MEDIA_HALF and not seen & {BIND, *WORK_HALF}]
    streams = [text for text, seen in facets.items() if GRPC in seen]
    yield from ((m, s) for m in media for s in streams)


def _listening_pairs(session: Session, ids: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Media that was never told to listen, and an ID that was and that nobody knows."""
    facets = {text: session.presence.get(text, frozenset()) for text in ids}
    media = [text for text, seen in facets.items() if WHIP in seen and LISTEN not in seen]
    unknown = [t for t, seen in facets.items() if not seen & MEDIA_FACETS and _is_clients(session, t)]
    yield from ((m, u) for m in media for u in unknown if m != u)


_PAIRS = (_socket_pairs, _key_pairs, _stream_pairs, _listening_pairs)


def _began_together(session: Session, media: str, other: str) -> bool:
    begins = (
        first_event(session, media, "whip.", "media."),
        first_event(session, other, "ws.", "kafka.", "turn.", "audio.", "grpc."),
    )
    times = [event.time_ns for event in begins if event is not None]
    return len(times) < len(begins) or max(times) - min(times) <= TOGETHER_NS


def _describe(session: Session, media: str, other: str) -> Parting:
    if classify(other).kind is IdKind.GRPC:
        return Parting(media, other, "gRPC stream", "re-minted")
    if not session.presence.get(other) and BIND in session.presence.get(media, frozenset()):
        # the socket knows the client by the media's ID, so it is the other one that was changed
        return Parting(media, other, "/listening body", _kind_of(media, other) or "another ID was sent")
    kind = _kind_of(media, other)
    if kind:
        bound = BIND in session.presence.get(media, frozenset())  # the client sent it, so it is not changed
        at_whip = not bound and _knows_client_by(session, media, other, kind)
        return Parting(media, other, "WHIP header" if at_whip else _hop_to(session, other), kind)
    if _was_minted_there(session, media):
        whip = first_event(session, media, "whip.session")
        refused = whip is not None and whip.entry.field("refused")
        return Parting(media, other, "WHIP header", "sent and refused" if refused else "never sent")
    hop = _hop_to(session, other)
    if classify(other).kind is IdKind.FALLBACK:
        return Parting(media, other, hop, "never sent")
    if _is_clients(session, other):
        return Parting(media, other, "WHIP header", "another ID was sent")
    kind = "sent and not read" if _was_sent(session, media, other) else "another ID was sent"
    return Parting(media, other, hop, kind)


def _was_minted_there(session: Session, media: str) -> bool:
    """Whether the media server minted its ID: by its own line, else by the form that only it mints."""
    whip = first_event(session, media, "whip.session")
    if whip is not None:
        return whip.value("origin") == "generated"
    return classify(media).kind is IdKind.MEDIA


def _knows_client_by(session: Session, media: str, other: str, kind: str) -> bool:
    """Whether the client's own ID is `other`, so that the WHIP header brought the changed one."""
    if kind == "truncated":
        return len(media) < len(other)
    first, second = classify(media), classify(other)
    if (first.kind is IdKind.FRONTEND) != (second.kind is IdKind.FRONTEND):
        return second.kind is IdKind.FRONTEND
    return _is_clients(session, other)


def _is_clients(session: Session, text: str) -> bool:
    """Whether the client used this ID in a third place, beside WHIP and the socket's binding.

    Its own lines are one, and what it asked the media server to listen to.
    """
    return any(
        text in event.entry.ids_in(*SESSION_ROLES, "text")
        for event in (*session.events, *session.neighbours.mentioning(text))
        if event.name in _THIRD_PLACES or event.side == _CLIENT
    )


def _hop_to(session: Session, other: str) -> str:
    bind, facets = first_event(session, other, "ws.bind"), session.presence.get(other, frozenset())
    if bind is None and not facets:
        return "/listening body"
    if bind is None:
        return "Kafka key" if facets & WORK_HALF else "WebSocket"
    via = bind.value("via")
    return f"WebSocket ({via})" if via else "WebSocket"


def _kind_of(media: str, other: str) -> str:
    """What the two texts tell by themselves; empty if nothing."""
    if media.lower() == other.lower():
        return "re-cased"
    if unquote(media) == unquote(other):
        return "URL-encoded"
    if media.startswith(other) or other.startswith(media):
        return "truncated"
    first, second = classify(media), classify(other)
    if first.minted_ns is None or second.minted_ns is None:
        return ""
    if abs(first.minted_ns - second.minted_ns) > _SAME_INSTANT_NS:
        return ""
    if first.unit == second.unit:
        return "re-minted"
    # two parts that mint in one instant are two minters: only the same random part tells one ID
    return "unit changed" if random_of(media) == random_of(other) else ""


def _was_sent(session: Session, media: str, other: str) -> bool:
    """Whether the socket that is bound to `other` brought the media's ID, too."""
    bind = first_event(session, other, "ws.bind")
    connections = set(bind.entry.ids_in("connection")) if bind else set()
    return any(
        media in event.entry.ids_in("session") and connections & set(event.entry.ids_in("connection"))
        for event in session.named(*_SOCKET_MESSAGES)
    )
