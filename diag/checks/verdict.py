"""The one word for a session, and the sentence that a paged person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diag.checks.causes import rank_causes
from diag.model.findings import Cause, Finding, Outcome, Result, Scope, Severity, Status, Verdict
from diag.model.session import Session, TurnOutcome

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
        turn.outcome is TurnOutcome.UNANSWERED
        and turn.caller_left is None
        and not _may_come(session, turn.end_ns)
        for turn in session.turns
    )


def _may_come(session: Session, end_ns: int | None) -> bool:
    return session.open and end_ns is None


def _media_never_came(session: Session) -> bool:
    """An answered WHIP request, no connection, and an end."""
    answered = session.named("whip.established")
    return bool(answered) and not session.named(*_MEDIA_CAME) and not session.open


def _find_missing(session: Session, outcomes: Iterable[Outcome]) -> Iterable[str]:
    """What stands between this session and a clean bill of health."""
    if session.open:
        yield "the session may still run"
    by_slug = {outcome.slug: outcome for outcome in outcomes}
    for slug in HEALTH_CHECKS:
        outcome = by_slug.get(slug)
        if outcome is None or outcome.result in (Result.SKIPPED, Result.CRASHED):
            reason = outcome.reason if outcome else "it did not run"
            yield f"{slug} was not checked: {reason}"


def _summarise(status: Status, session: Session, cause: Cause | None, missing: tuple[str, ...]) -> str:
    turns = len(session.turns)
    match status:
        case Status.BROKEN if cause is not None:
            return cause.summary
        case Status.BROKEN if _media_never_came(session):
            return (
                "The WHIP request was answered and media never connected. No check that ran names the cause."
            )
        case Status.BROKEN:
            return (
                f"{_unanswered(session)} of {turns} turns got no reply. No check that ran names the cause; "
                "the findings name the last step reached."
            )
        case Status.DEGRADED:
            return f"Every turn was answered, but: {cause.summary}" if cause and turns else _plain(cause)
        case Status.HEALTHY:
            return _describe_health(turns)
        case _ if cause is not None:
            return f"Too little was read to judge the whole session. What was seen: {cause.summary}"
        case _:
            return f"Nothing wrong was found, and not enough was seen to say more: {'; '.join(missing)}."


def _plain(cause: Cause | None) -> str:
    return cause.summary if cause else "No turn took place, and something is wrong; see the findings."


def _describe_health(turns: int) -> str:
    if not turns:
        return "Media, socket and consumption belong to one session; the caller said nothing that ended."
    answered = "The one turn was" if turns == 1 else f"All {turns} turns were"
    return f"{answered} answered; media, socket, audio and replies belong to one session."
