"""The session exists on one side only.

What it tells
    Either the media server has it and the orchestrator never heard of it, or the other way round.

Why it matters
    Whatever the caller said went nowhere, or whatever was answered had no caller.

How it decides
    All of the session's IDs together are looked up in the presence matrix: WHIP, listening and
    publishing on one side; socket, consumption, turns and deliveries on the other. One side must be
    empty although entries of both services were read.

What can fool it
    A session whose audio came over its WebSocket has no media half by design; a WHIP request with a
    broken offer, or whose media never connected, leaves an ID and nothing else, and so does a half of
    which most lines are lost: where the other side names the session at all, nothing is claimed. IDs of
    tests are left out. If the other half exists under another ID, this is ``id-mismatch``.

What to do
    Media server only: see whether audio was published and the topic and its consumer are alive.
    Orchestrator only: see whether the frontend's WHIP request arrived, and under which ID.
"""

from __future__ import annotations

from collections.abc import Iterator

from diag.checks.base import (
    LOGS,
    MEDIA_SERVER,
    MOST_EVIDENCE,
    ORCHESTRATOR,
    Check,
    CheckContext,
    NotChecked,
    any_of,
)
from diag.model.findings import Finding, Scope, Severity
from diag.model.identifiers import IdKind, classify
from diag.model.records import SESSION_ROLES
from diag.model.session import Session
from diag.session.identity.presence import (
    MEDIA_FACETS,
    ORCHESTRATOR_FACETS,
    WS_AUDIO,
    media_never_came,
)

_OTHER = {MEDIA_SERVER: ORCHESTRATOR, ORCHESTRATOR: MEDIA_SERVER}
_SIDES = {MEDIA_SERVER: "media", ORCHESTRATOR: "orchestrator"}
_NEXT_STEP = {
    MEDIA_SERVER: "look at the topic audio-in and its consumer: diag topics",
    ORCHESTRATOR: "look for the caller's WHIP request: did it arrive, and under which ID",
}


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    facets = session.facets
    has_media, has_orchestrator = bool(facets & MEDIA_FACETS), bool(facets & ORCHESTRATOR_FACETS)
    if not has_media and not has_orchestrator:
        raise NotChecked("no line shows the session at work on either side")
    if has_media == has_orchestrator or WS_AUDIO in facets or _is_test(session):
        return
    if has_media and media_never_came(session):
        raise NotChecked("media never connected, so nothing could reach the other side")
    context.require_entries(MEDIA_SERVER, ORCHESTRATOR)
    context.require_own_socket()
    if session.open:
        raise NotChecked("the session may still run, so the other half may still come")
    side = MEDIA_SERVER if has_media else ORCHESTRATOR
    if _speaks_of(session, _SIDES[_OTHER[side]]):
        there = context.coverage.called(_OTHER[side])
        raise NotChecked(f"the {there} names the session, and no line of it that was read shows what it did")
    yield _finding(context, side)


def _speaks_of(session: Session, side: str) -> bool:
    """Whether that side's lines name the session, though they show no work on it."""
    ids = frozenset(session.session_ids)
    return any(
        event.side == side and ids.intersection(event.entry.ids_in(*SESSION_ROLES))
        for event in session.events
    )


def _is_test(session: Session) -> bool:
    return all(classify(text).kind is IdKind.TEST for text in session.session_ids)


def _finding(context: CheckContext, side: str) -> Finding:
    session = context.session
    seen = session.facets & (MEDIA_FACETS | ORCHESTRATOR_FACETS)
    other = _OTHER[side]
    here, there = context.coverage.called(side), context.coverage.called(other)
    read, writers = context.coverage.entries_of(other), context.coverage.heard_for(side)
    own = [event.to_evidence() for event in session.events if event.entry.service in writers]
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=context.sureness(MEDIA_SERVER, ORCHESTRATOR),
        component=there,
        title=f"the session is on the {here} only",
        summary=(
            f"The {here} has the session ({', '.join(sorted(seen))}); "
            f"{_count_mentions(session, other, read, there)}."
        ),
        evidence=tuple(own or (event.to_evidence() for event in session.events))[:MOST_EVIDENCE],
        remedy=_NEXT_STEP[side],
        sessions=session.session_ids,
    )


def _count_mentions(session: Session, other: str, read: int, there: str) -> str:
    """What the other side wrote of it: nothing, or its ID in a text, such as that of a refusal."""
    told = sum(event.side == _SIDES[other] for event in session.events)
    if not told:
        return f"none of the {read} entries read of the {there} mention it"
    return f"of the {read} entries read of the {there}, {told} mention{'' if told > 1 else 's'} it in passing"


CHECK = Check(
    slug="session-one-sided",
    title="the session is on one side only",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(LOGS),
    run=_run,
)
