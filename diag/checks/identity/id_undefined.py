"""A lost ID stands where the session's ID belongs.

What it tells
    Somewhere ``undefined``, ``null``, ``NaN``, ``None``, ``<nil>``, ``[object Object]`` or nothing was
    sent, logged or stored as an ID: a variable was used before it had a value.

Why it matters
    Everything under such an ID meets everything else under it: replies of one caller can not find
    their socket, or find another caller's.

How it decides
    Exact match on any ID key of the session's own lines, inside raw WebSocket messages, on Kafka keys
    and headers, and the orchestrator's own complaints of a missing ID. A line of a socket that no ID
    ties to the session counts only where this session lacks just that half, and stays suspected.

What can fool it
    An empty ID is normal in ``Parsed WebSocket message`` of ``greeting_request``, ``ping`` and
    ``tts_request``; JSON null under an ID key is how the Python services log; ``undefined: sessionID``
    is a compiler's message. None of these counts.

What to do
    Find the hop that lost the ID in the evidence, and send the ID that the media server returned in
    ``X-Session-ID`` there; refuse a request whose ID is not valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from diag.checks.base import LOGS, MOST_EVIDENCE, RECORDS, Check, CheckContext, any_of, to_evidence
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity
from diag.model.identifiers import is_lost
from diag.model.records import KafkaRecord
from diag.model.remembered import Remembered
from diag.model.session import Session
from diag.model.turns import TurnOutcome
from diag.session.identity.presence import BIND, CONSUME, HEARD, PUBLISH, WHIP, WS_AUDIO

_ID_ROLES = ("session", "media", "frontend", "connection")
_EMPTY_IS_NORMAL = ("greeting_request", "ping", "tts_request")
_COMPLAINT = "id.missing"
_SOCKET_EVENTS = ("ws.bind", "ws.message", "ws.raw", _COMPLAINT, "state.not_found")
_MEDIA_EVENTS = ("whip.session", "whip.established")
_CONSUMED_EVENTS = ("kafka.consume", "audio.session", "turn.trigger", "turn.start")
_LISTENING_EVENTS = ("media.listen", "media.listen_failed")
_HOPS = (
    ("WHIP header", _MEDIA_EVENTS),
    ("/listening body", _LISTENING_EVENTS),
    ("WebSocket", _SOCKET_EVENTS),
    ("Kafka key", _CONSUMED_EVENTS),
)


_lost_among = Remembered[tuple[str, ...], tuple[str, ...]](lambda texts: tuple(filter(is_lost, texts)))


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    own = _find_own(session)
    own_records = tuple(r for flow in session.flows for r in flow.records if r.is_lost)
    if own or own_records:
        yield _finding(session, own, own_records, Confidence.CONFIRMED)
        return
    nearby = _find_nearby(session)
    records = _lost_records(session)
    if nearby or records:
        yield _finding(session, nearby, records, Confidence.SUSPECTED)


def _find_own(session: Session) -> list[Event]:
    """The session's own lines that show a loss; those that name nothing lost are not looked at one by one."""
    lossy = {ids for ids in session.named_ids if any(is_lost(mention.text) for mention in ids)}
    suspects = (e for e in session.events if e.entry.ids in lossy or e.name == _COMPLAINT)
    return [event for event in suspects if _is_loss(event)]


def _is_loss(event: Event) -> bool:
    lost = _lost_among[_named(event)]
    if event.name == _COMPLAINT:
        # the same complaint is made of a missing transcript
        return bool(lost) or not event.entry.ids_in("session")
    if event.name == "ws.message" and event.entry.field("event") in _EMPTY_IS_NORMAL:
        lost = tuple(text for text in lost if text)
    return bool(lost)


def _named(event: Event) -> tuple[str, ...]:
    """The IDs of a line; where listening failed, the one that was asked for stands in the error's text."""
    roles = (*_ID_ROLES, "text") if event.name == "media.listen_failed" else _ID_ROLES
    return event.entry.ids_in(*roles)


def _find_nearby(session: Session) -> list[Event]:
    """Lines without any tie that stand where this session lacks a half, while it ran."""
    wanted = _lacking(session)
    return [
        event
        for event in (session.neighbours.lost() if wanted else ())
        if event.name in wanted and not event.entry.ids_in("trace") and _is_loss(event)
    ]


def _lacking(session: Session) -> frozenset[str]:
    """The events that would show the half that this session lacks; none where it lacks nothing."""
    facets = session.facets
    wanted: set[str] = set()
    if BIND not in facets:
        wanted.update(_SOCKET_EVENTS)
    if not facets & {WHIP, WS_AUDIO}:  # whose audio came over the socket needs no other media
        wanted.update(_MEDIA_EVENTS)
    if WHIP in facets and not facets & HEARD:
        wanted.update(_LISTENING_EVENTS)
    if PUBLISH in facets and not facets & {CONSUME, WS_AUDIO}:
        wanted.update(_CONSUMED_EVENTS)
    return frozenset(wanted)


def _lost_records(session: Session) -> tuple[KafkaRecord, ...]:
    """Records under a lost ID while this session published, and none under its own."""
    own = sum(flow.stored or 0 for flow in session.flows)
    first, last = session.first_ns or 0, session.last_ns or 0
    if own or not {WHIP, PUBLISH} & session.facets:
        return ()
    return tuple(record for record in session.lost_records if first <= record.time_ns <= last)


def _finding(
    session: Session, events: list[Event], records: tuple[KafkaRecord, ...], confidence: Confidence
) -> Finding:
    counts = Counter(_shown(text) for text in _lost_texts(events, records))
    listed = ", ".join(f"{text} ({count})" for text, count in sorted(counts.items()))
    where = sorted(
        {event.side or event.entry.service for event in events} | ({"Kafka"} if records else set())
    )
    kind = "never sent" if set(counts) == {_shown("")} else "stringified null"
    tie = "" if confidence is Confidence.CONFIRMED else " Only the time ties it to this session."
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=confidence,
        component=where[0] if where else "unknown",
        title="a lost ID stands where the session's belongs",
        summary=(
            f"{_effect(session)}The session's ID was lost ({kind}, at the {_hop(events)}): "
            f"{listed} stands in its place.{tie}"
        ),
        evidence=(*to_evidence(events), *_to_evidence(records))[:MOST_EVIDENCE],
        remedy="send the ID that the media server returned in X-Session-ID; refuse IDs that are not valid",
        sessions=session.session_ids,
    )


def _effect(session: Session) -> str:
    turns = [turn.outcome for turn in session.turns]
    silent = bool(turns) and all(outcome is TurnOutcome.UNANSWERED for outcome in turns)
    return "The caller heard nothing. " if silent else ""


def _hop(events: Iterable[Event]) -> str:
    """The first hop on the ID's way at which it is missing; what comes behind only hands that on."""
    names = {event.name for event in events}
    return next((hop for hop, shown_by in _HOPS if names & set(shown_by)), "Kafka key")


def _lost_texts(events: Iterable[Event], records: Iterable[KafkaRecord]) -> Iterator[str]:
    for event in events:
        yield from _lost_among[_named(event)] or [""]
    yield from (text for record in records for _, text in record.lost_ids)


def _shown(text: str) -> str:
    return f'"{text}"' if text else "empty"


def _to_evidence(records: Iterable[KafkaRecord]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(r.time_ns, r.ref, "kafka", f"record of {r.size} bytes: {_places(r)}") for r in records
    )


def _places(record: KafkaRecord) -> str:
    return ", ".join(f"{place} {_shown(text)}" for place, text in record.lost_ids)


CHECK = Check(
    slug="id-undefined",
    title="a lost ID",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS, RECORDS),
    confirms=(),
    run=_run,
)
