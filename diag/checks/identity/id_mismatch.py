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
    was consumed and turns that ran under the media's ID do not count against it. Likewise one ID whose
    audio nobody worked on, and another under which work was done on audio that nobody published.
    Joined by a trace, a connection, a record's key or a mapping line it is confirmed; by a guessed
    mapping, by time alone or with two possible partners, suspected, and the partner by time stays a
    candidate.

What can fool it
    A session whose audio came over its WebSocket has no media half by design. A mapping from the one
    ID to the other bridges the two: where a turn was answered over it, nothing is wrong. Two
    callers who each lost one half within a minute look alike without a trace.

What to do
    Mint one ID for one call: send it in the WHIP header, take back what the media server answers in
    ``X-Session-ID``, and bind the WebSocket under exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Result, Scope, Severity
from diag.model.identifiers import IdKind
from diag.model.session import Session
from diag.model.turns import TurnOutcome
from diag.session.identity.parting import Parting, find_partings, find_unread, first_event, is_whole
from diag.session.identity.rules import GUESSED, MAPPED

_UNDELIVERED = ("bcast.withheld", "bcast.failed")
_DELIVERED = "bcast.delivered"
_KEY = "Kafka key"
_LISTENING = "/listening body"


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    context.require_work()
    joined = find_partings(session)
    if joined:
        yield from _judge_joined(context, joined)
        return
    unread = find_unread(session)
    if unread is not None:
        yield _unread_finding(context, *unread)
        return
    if not any(is_whole(session, text) for text in session.session_ids):
        context.require_entries(MEDIA_SERVER, ORCHESTRATOR)
    context.require_own_socket()
    if _was_lost(context):
        return  # what stands in its place is known, and no other caller's ID
    nearby = find_partings(session, tuple(_partners(session)))
    if nearby:
        yield _finding(session, nearby[0], Confidence.SUSPECTED, _doubt(len(nearby) - 1))


def _judge_joined(context: CheckContext, joined: tuple[Parting, ...]) -> Iterator[Finding]:
    session = context.session
    rules = {alias.rule for alias in session.aliases}
    if rules & {MAPPED, GUESSED} and any(turn.deliveries for turn in session.turns):
        return  # the mapping bridges the two
    sure = context.sureness(MEDIA_SERVER, ORCHESTRATOR)
    if GUESSED in rules or len(joined) > 1:
        sure = Confidence.SUSPECTED
    yield _finding(session, joined[0], sure, "")


def _was_lost(context: CheckContext) -> bool:
    return any(one.slug == "id-undefined" and one.result is Result.FOUND for one in context.outcomes)


def _all_answered(session: Session) -> bool:
    return bool(session.turns) and all(t.outcome is not TurnOutcome.UNANSWERED for t in session.turns)


def _partners(session: Session) -> Iterator[str]:
    """IDs nearby that may be the missing half; tests mint theirs as they please."""
    for alias in session.candidates:
        if alias.rule == "time" and alias.identifier.kind is not IdKind.TEST:
            yield alias.identifier.text


def _doubt(rivals: int) -> str:
    others = f", and {rivals} other{'s' if rivals > 1 else ''} would fit as well" if rivals else ""
    return f" Only the time ties the two together{others}."


def _finding(session: Session, parting: Parting, confidence: Confidence, doubt: str) -> Finding:
    addressed = parting.other if parting.hop == _KEY else parting.media
    undelivered = _addressed_to(addressed, session.named(*_UNDELIVERED))
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=confidence,
        component=MEDIA_SERVER if parting.hop == _KEY else "frontend",
        title="two IDs for one client",
        summary=f"{_effect(session, parting, addressed, len(undelivered))} {_describe(parting)}{doubt}",
        evidence=_collect(session, parting, undelivered),
        contradicting=to_evidence(_addressed_to(addressed, session.named(_DELIVERED))),
        remedy=(
            "key every record with the ID that the WebSocket is bound to"
            if parting.hop == _KEY
            else "bind the WebSocket under the ID that the media server answered in X-Session-ID, "
            "and send that same ID in every later request"
        ),
        sessions=(parting.media, parting.other),
        began_ns=_began_ns(session, parting),
    )


def _unread_finding(context: CheckContext, parting: Parting, refused: Event) -> Finding:
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=context.sureness(MEDIA_SERVER, ORCHESTRATOR),
        component=ORCHESTRATOR,
        title="the socket's ID was not read",
        summary=(
            f"No reply to {parting.media} can find a socket. The frontend sent the ID over its WebSocket "
            f"and the orchestrator did not understand the message ({parting.kind}, at the {parting.hop})."
        ),
        evidence=(
            refused.to_evidence(),
            *(event.to_evidence() for event in _halves(context.session, parting)),
        ),
        remedy="send the session's ID in a message that the orchestrator handles: the key is event, not type",
        sessions=(parting.media,),
        began_ns=refused.time_ns,
    )


def _addressed_to(text: str, events: tuple[Event, ...]) -> list[Event]:
    return [event for event in events if text in event.entry.ids_in("session")]


def _effect(session: Session, parting: Parting, addressed: str, undelivered: int) -> str:
    if _all_answered(session):
        return "One client has two IDs, which did no harm yet."
    if parting.hop == _LISTENING:
        return f"Nobody listened to the caller of {parting.media}."
    if undelivered:
        return (
            f"The caller heard nothing: {undelivered} message{'s were' if undelivered > 1 else ' was'} "
            f"addressed to {addressed}, and no socket was bound to it."
        )
    return f"No reply to {addressed} can find a socket."


def _describe(parting: Parting) -> str:
    how = f"({parting.kind}, at the {parting.hop})"
    if parting.hop == _LISTENING:
        return f"The media server was told to listen to {parting.other}, and has {parting.media} {how}."
    if parting.hop == _KEY:
        return (
            f"The media server published the audio of {parting.media}, and the orchestrator worked on it "
            f"as {parting.other} {how}."
        )
    return (
        f"The WebSocket was bound to {parting.other} while the media server worked "
        f"under {parting.media} {how}."
    )


def _halves(session: Session, parting: Parting) -> list[Event]:
    """The first event of each half."""
    firsts = (
        first_event(session, parting.media, "whip.", "media."),
        first_event(session, parting.other, "ws.bind")
        or first_event(session, parting.other, "kafka.", "turn.", "audio.", "grpc."),
    )
    return [event for event in firsts if event is not None]


def _collect(session: Session, parting: Parting, undelivered: list[Event]) -> tuple[Evidence, ...]:
    """Both halves' first lines, what ties them together, and the replies that went nowhere."""
    found = [event.to_evidence() for event in _halves(session, parting)]
    found += (
        alias.evidence
        for alias in (*session.aliases, *session.candidates)
        if alias.identifier.text in (parting.media, parting.other)
    )
    found += to_evidence(undelivered)
    return tuple(dict.fromkeys(found))[:MOST_EVIDENCE]


def _began_ns(session: Session, parting: Parting) -> int | None:
    """The mismatch began when both halves were there to differ; the earlier one is where it shows."""
    socket = first_event(session, parting.other, "ws.")
    times = [event.time_ns for event in (*_halves(session, parting), socket) if event is not None]
    return min(times, default=None)


CHECK = Check(
    slug="id-mismatch",
    title="two IDs for one client",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(RECORDS, LOGS),
    run=_run,
)
