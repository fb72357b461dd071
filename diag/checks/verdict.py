"""The one word for a session, and the sentence that a paged person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diag.checks.causes import rank_causes
from diag.model.findings import Cause, Finding, Outcome, Result, Scope, Severity, Status, Verdict
from diag.model.session import Session, TurnOutcome
from diag.session.presence import BIND, CONSUME, MEDIA_FACETS, WS_AUDIO

HEALTH_CHECKS = ("id-mismatch", "session-one-sided", "turn-no-reply")
"""Media, binding, consumption and delivery: healthy means that these ran and are clear."""

_REPLIES = "turn-no-reply"
_MEDIA_CAME = ("ice.connected", "media.track", "media.publish")


def reach_verdict(session: Session, findings: Sequence[Finding], outcomes: Sequence[Outcome]) -> Verdict:
    """Status, sentence and ranked causes."""
    causes = rank_causes(findings)
    missing = tuple(_find_missing(session, outcomes))
    status = _judge(session, findings, outcomes, missing)
    cause = causes[0] if causes else None
    return Verdict(status, _summarise(status, session, cause, missing), cause, causes[1:], missing)


def _judge(
    session: Session, findings: Iterable[Finding], outcomes: Iterable[Outcome], missing: tuple[str, ...]
) -> Status:
    replies = next((one.result for one in outcomes if one.slug == _REPLIES), Result.SKIPPED)
    if (replies is Result.FOUND and _unanswered(session)) or _media_never_came(session):
        return Status.BROKEN
    if any(f.scope is Scope.SESSION and f.severity >= Severity.WARNING for f in findings):
        # "every turn was answered" must have been seen, too
        return Status.DEGRADED if replies in (Result.CLEAR, Result.FOUND) else Status.INCONCLUSIVE
    return Status.INCONCLUSIVE if missing else Status.HEALTHY


def _unanswered(session: Session) -> int:
    return sum(
        turn.outcome is TurnOutcome.UNANSWERED and not (session.open and turn.end_ns is None)
        for turn in session.turns
    )


def _count(session: Session, outcome: TurnOutcome) -> int:
    return sum(turn.outcome is outcome for turn in session.turns)


def _media_never_came(session: Session) -> bool:
    """An answered WHIP request, no connection, and an end."""
    answered = session.named("whip.established")
    return bool(answered) and not session.named(*_MEDIA_CAME) and not session.open


def _find_missing(session: Session, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """What stands between this session and a clean bill of health."""
    if session.open:
        yield "the session may still run"
    yield from _find_untested(session)
    by_slug = {outcome.slug: outcome for outcome in outcomes}
    for slug in HEALTH_CHECKS:
        outcome = by_slug.get(slug)
        if outcome is None or outcome.result in (Result.SKIPPED, Result.CRASHED):
            reason = outcome.reason if outcome else "it did not run"
            yield f"{slug} was not checked: {reason}"


def _find_untested(session: Session) -> Iterator[str]:
    """Replies that were not put to the test: nothing is healthy that nobody tried."""
    if _count(session, TurnOutcome.ANSWERED):
        if _count(session, TurnOutcome.OPEN):
            yield "a turn was still being worked on when the lines end"
        return
    failed = len(session.named("media.publish_failed"))
    if failed:
        yield f"{failed} lines say that the caller's audio could not be published"
    elif not session.turns and session.named("media.publish"):
        yield "the caller's audio was published and no turn came of it"
    elif not session.turns:
        yield "no turn was seen"
    if _count(session, TurnOutcome.ABANDONED):
        yield "the caller left before a reply could come"
    if _count(session, TurnOutcome.OPEN):
        yield "the only turn was still being worked on when the lines end"


def _summarise(status: Status, session: Session, cause: Cause | None, missing: tuple[str, ...]) -> str:
    match status:
        case Status.BROKEN if cause is not None:
            return cause.summary
        case Status.BROKEN if _media_never_came(session):
            return (
                "The WHIP request was answered and media never connected. No check that ran names the cause."
            )
        case Status.BROKEN:
            return (
                f"{_unanswered(session)} of {len(session.turns)} turns got no reply. "
                "No check that ran names the cause; the findings name the last step reached."
            )
        case Status.DEGRADED:
            return f"{_describe_turns(session)}, but: {cause.summary}" if cause else _describe_empty(session)
        case Status.HEALTHY:
            return f"{_describe_turns(session)}; {_describe_parts(session)} belong to one session."
        case _ if cause is not None:
            return f"Too little was read to judge the whole session. What was seen: {cause.summary}"
        case _:
            return f"Nothing wrong was found, and not enough was seen to say more: {'; '.join(missing)}."


def _describe_turns(session: Session) -> str:
    turns, answered = len(session.turns), _count(session, TurnOutcome.ANSWERED)
    if answered < turns:
        empty, left = _count(session, TurnOutcome.EMPTY), _count(session, TurnOutcome.ABANDONED)
        rest = ((empty, "held no words"), (left, "the caller did not wait for"))
        told = ", ".join(f"{count} {what}" for count, what in rest if count)
        return f"{answered} of {turns} turns were answered{told and f' ({told})'}"
    match turns:
        case 1:
            return "The one turn was answered"
        case 2:
            return "Both turns were answered"
        case _:
            return f"All {turns} turns were answered"


def _describe_empty(session: Session) -> str:
    empty, turns = _count(session, TurnOutcome.EMPTY), len(session.turns)
    if not empty:
        return f"{_describe_turns(session)}, and something is wrong; see the findings."
    return f"Speech recognition heard no words in {empty} of {turns} turns, so nothing was answered there."


def _describe_parts(session: Session) -> str:
    """The parts of the session that were seen, and no others."""
    facets = session.facets
    parts = (
        ("media", bool(facets & MEDIA_FACETS)),
        ("socket", BIND in facets),
        ("audio", bool(facets & {CONSUME, WS_AUDIO})),
        ("replies", True),
    )
    *most, last = (name for name, seen in parts if seen)
    return f"{', '.join(most)} and {last}" if most else last
