"""The parts of the system carry different IDs for one client.

What it tells
    The media server works under one session ID and the WebSocket was opened under another, although
    both belong to one caller.

Why it matters
    The orchestrator answers the ID under which the audio came, and has a socket only for the other:
    the session works at every stage and the caller hears nothing.

How it decides
    The halves must complement each other: one ID has media (WHIP or published audio) and no socket,
    the other has a socket and no media, and each is the other's only partner within 60 s. Audio that
    was consumed and turns that ran under the media's ID do not count against it. Joined by a trace, a
    connection, a record's key or a mapping line it is confirmed; by time alone, or with two possible
    partners, suspected, and the partner stays a candidate.

What can fool it
    A session whose audio came over its WebSocket has no media half by design. Two callers who each
    lost one half within a minute look alike without a trace.

What to do
    Mint one ID for one call: send it in the WHIP header, take back what the media server answers in
    ``X-Session-ID``, and bind the WebSocket under exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diag.checks.base import (
    LOGS,
    MEDIA_SERVER,
    MOST_EVIDENCE,
    ORCHESTRATOR,
    RECORDS,
    Check,
    CheckContext,
    any_of,
    to_evidence,
)
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity
from diag.model.identifiers import IdKind, classify
from diag.model.instants import NS_PER_S
from diag.model.session import Event, Session
from diag.session.presence import BIND, PUBLISH, WHIP, WS_AUDIO

_MEDIA_HALF = frozenset({WHIP, PUBLISH})
_TOGETHER_NS = 60 * NS_PER_S
_SAME_INSTANT_NS = 5_000_000
_UNDELIVERED = ("bcast.withheld", "bcast.failed")
_DELIVERED = "bcast.delivered"


@dataclass(frozen=True, slots=True)
class _Parting:
    """Where the IDs of one client part: at which hop, and how the second came to be."""

    hop: str
    kind: str


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    media = [text for text in session.session_ids if _is_media_half(session, text)]
    sockets = [text for text in session.session_ids if _is_socket_half(session, text)]
    if media and sockets:
        pairs = [(m, s) for m in media for s in sockets if _are_together(session, m, s)]
        if pairs:
            sure = context.sureness(MEDIA_SERVER, ORCHESTRATOR) if len(pairs) == 1 else Confidence.SUSPECTED
            yield _finding(session, *pairs[0], sure, by_time=False)
        return
    if not any(_is_whole(session, text) for text in session.session_ids):
        context.require_entries(MEDIA_SERVER, ORCHESTRATOR)
    partners = [
        alias.identifier.text
        for alias in session.candidates
        if alias.rule == "time" and alias.identifier.kind is not IdKind.TEST
    ]
    for half in (media or sockets)[:1]:
        for partner in partners:
            pair = (half, partner) if media else (partner, half)
            yield _finding(session, *pair, Confidence.SUSPECTED, by_time=True, rivals=len(partners) - 1)


def _is_media_half(session: Session, text: str) -> bool:
    facets = session.presence.get(text, frozenset())
    return bool(facets & _MEDIA_HALF) and BIND not in facets


def _is_socket_half(session: Session, text: str) -> bool:
    facets = session.presence.get(text, frozenset())
    return BIND in facets and not facets & _MEDIA_HALF


def _is_whole(session: Session, text: str) -> bool:
    """Whether one ID has both halves, or the one half that a session over a socket has."""
    facets = session.presence.get(text, frozenset())
    return BIND in facets and bool(facets & {*_MEDIA_HALF, WS_AUDIO})


def _are_together(session: Session, media: str, socket: str) -> bool:
    """Whether the two began within a minute of each other."""
    begins = [_first(session, media, "whip.", "media."), _first(session, socket, "ws.")]
    times = [event.time_ns for event in begins if event is not None]
    return len(times) < len(begins) or max(times) - min(times) <= _TOGETHER_NS


def _all_events(session: Session) -> tuple[Event, ...]:
    return (*session.events, *session.neighbours)


def _first(session: Session, text: str, *prefixes: str) -> Event | None:
    found = (
        event
        for event in _all_events(session)
        if event.name.startswith(prefixes) and text in event.entry.ids_in("session", "media", "frontend")
    )
    return min(found, key=lambda event: event.time_ns, default=None)


def _finding(
    session: Session, media: str, socket: str, confidence: Confidence, *, by_time: bool, rivals: int = 0
) -> Finding:
    parting = _find_parting(session, media, socket)
    undelivered = [e for e in session.named(*_UNDELIVERED) if media in e.entry.ids_in("session")]
    delivered = [e for e in session.named(_DELIVERED) if media in e.entry.ids_in("session")]
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=confidence,
        component="frontend",
        title="two IDs for one client",
        summary=_summarise(media, socket, parting, len(undelivered), _doubt(by_time=by_time, rivals=rivals)),
        evidence=_collect(session, media, socket, undelivered),
        contradicting=to_evidence(delivered),
        remedy=(
            "bind the WebSocket under the ID that the media server answered in X-Session-ID, "
            "and send that same ID in every later request"
        ),
        sessions=(media, socket),
        began_ns=_began_ns(session, media, socket),
    )


def _doubt(*, by_time: bool, rivals: int) -> str:
    if not by_time:
        return ""
    others = f", and {rivals} other{'s' if rivals > 1 else ''} would fit as well" if rivals else ""
    return f" Only the time ties the two together{others}."


def _summarise(media: str, socket: str, parting: _Parting, undelivered: int, doubt: str) -> str:
    heard = f"No reply to {media} can find a socket."
    if undelivered:
        heard = (
            f"The caller heard nothing: {undelivered} messages were addressed to {media}, "
            "and no socket was bound to it."
        )
    return (
        f"{heard} The WebSocket was bound to {socket} while the media server worked under {media} "
        f"({parting.kind}, at the {parting.hop}).{doubt}"
    )


def _find_parting(session: Session, media: str, socket: str) -> _Parting:
    whip, bind = _first(session, media, "whip.session"), _first(session, socket, "ws.bind")
    generated = whip is not None and whip.value("origin") == "generated"
    via = bind.value("via") if bind is not None else ""
    message = f"WebSocket ({via})" if via else "WebSocket"
    first, second = classify(media), classify(socket)
    same_instant = (
        first.minted_ns is not None
        and second.minted_ns is not None
        and abs(first.minted_ns - second.minted_ns) <= _SAME_INSTANT_NS
    )
    if media.startswith(socket) or socket.startswith(media):
        return _Parting(message, "truncated")
    if same_instant:
        kind = "unit changed" if first.unit != second.unit else "minted twice for one event"
        return _Parting(message, kind)
    if generated:
        refused = whip is not None and whip.entry.field("refused")
        return _Parting("WHIP header", "sent and refused" if refused else "never sent")
    if second.kind is IdKind.FALLBACK:
        return _Parting(message, "never sent")
    return _Parting(message, "another ID was sent")


def _collect(session: Session, media: str, socket: str, undelivered: list[Event]) -> tuple[Evidence, ...]:
    """Both halves' first lines, what ties them together, and the replies that went nowhere."""
    firsts = [_first(session, media, "whip.", "media."), _first(session, socket, "ws.bind")]
    found = [event.to_evidence() for event in firsts if event is not None]
    found += (
        a.evidence for a in (*session.aliases, *session.candidates) if a.identifier.text in (media, socket)
    )
    found += to_evidence(undelivered)
    return tuple(dict.fromkeys(found))[:MOST_EVIDENCE]


def _began_ns(session: Session, media: str, socket: str) -> int | None:
    """The mismatch began when both halves were there to differ; the earlier one is where it shows."""
    begins = (_first(session, media, "whip.", "media."), _first(session, socket, "ws."))
    return min((event.time_ns for event in begins if event is not None), default=None)


CHECK = Check(
    slug="id-mismatch",
    title="two IDs for one client",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(RECORDS, LOGS),
    run=_run,
)
