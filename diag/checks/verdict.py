"""The one word for a session, and the sentence that a paged person can act on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diag.checks.causes import rank_causes
from diag.checks.wording import describe_parts, describe_turns
from diag.model.findings import Cause, Finding, Outcome, Result, Scope, Severity, Status, Verdict
from diag.model.instants import NS_PER_S
from diag.model.session import Session
from diag.model.turns import Turn, TurnOutcome
from diag.session.identity.presence import WHIP, WS_AUDIO, media_never_came
from diag.session.turns.ending import PROCESS_ENDS, TOGETHER_NS, find_process_end

HEALTH_CHECKS = ("id-mismatch", "session-one-sided", "turn-no-reply")
"""Media, binding, consumption and delivery: healthy means that these ran and are clear."""

_REPLIES = "turn-no-reply"
_SPOKEN = ("media.publish", "speech.end")


def reach_verdict(session: Session, findings: Sequence[Finding], outcomes: Sequence[Outcome]) -> Verdict:
    """Status, sentence and ranked causes."""
    missing = tuple(_find_missing(session, outcomes))
    status = _judge(session, findings, outcomes, missing)
    ranked = rank_causes(findings, session.session_ids)
    causes = tuple(cause for cause in ranked if _may_be_cause(cause, status, findings))
    cause = causes[0] if causes else None
    summary = _summarise(status, session, cause, missing, _silence(findings))
    return Verdict(status, summary, cause, causes[1:], missing)


def _may_be_cause(cause: Cause, status: Status, findings: Iterable[Finding]) -> bool:
    """What only deserves a warning breaks no session, unless the silence is known to follow from it."""
    worst = max((f.severity for f in findings if f.slug == cause.slug), default=Severity.INFO)
    return status is not Status.BROKEN or worst >= Severity.ERROR or _REPLIES in cause.effects


def _silence(findings: Iterable[Finding]) -> str:
    """What the finding of unanswered turns says, empty if there is none."""
    return next((finding.summary for finding in findings if finding.slug == _REPLIES), "")


def _judge(
    session: Session, findings: Iterable[Finding], outcomes: Iterable[Outcome], missing: tuple[str, ...]
) -> Status:
    replies = next((one.result for one in outcomes if one.slug == _REPLIES), Result.SKIPPED)
    if (replies is Result.FOUND and _unanswered(session)) or _describe_cut(session):
        return Status.BROKEN
    if any(f.scope is Scope.SESSION and f.severity >= Severity.WARNING for f in findings):
        # "every turn was answered" must have been seen, too
        return Status.DEGRADED if replies in (Result.CLEAR, Result.FOUND) else Status.INCONCLUSIVE
    return Status.INCONCLUSIVE if missing else Status.HEALTHY


def _unanswered(session: Session) -> int:
    """Turns that broke the session; where the caller went on speaking and was answered, it is not broken."""
    return sum(
        turn.outcome is TurnOutcome.UNANSWERED
        and turn.interruption is None
        and not (session.open and turn.end_ns is None)
        for turn in session.turns
    )


def _count(session: Session, outcome: TurnOutcome) -> int:
    return sum(turn.outcome is outcome for turn in session.turns)


def _describe_cut(session: Session) -> str:
    """How the session ended before any turn could be, empty if it did not."""
    if session.open or any(turn.deliveries for turn in session.turns):
        return ""
    if media_never_came(session):
        answered = session.named("whip.established")
        return f"{'The WHIP request was answered and media' if answered else 'Media'} never connected."
    return _describe_unheard(session)


def _describe_unheard(session: Session) -> str:
    """How media came and nothing of it was worked on, empty if that is not so."""
    if WS_AUDIO in session.facets or session.named("media.publish"):
        return ""
    # where the pod that has its media was not read, that pod may have been told to listen
    refused = WHIP in session.facets and session.named("media.listen_failed")
    if refused and not session.named("media.listen", "speech.start", "speech.end"):
        times = "once" if len(refused) == 1 else f"{len(refused)} times"
        return f"The caller could not be heard: listening was refused {times} and never began."
    failed = session.named("media.publish_failed")
    if failed:
        return f"The caller's audio never left the media server: {len(failed)} attempts to publish it failed."
    return ""


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


def _find_lack(turn: Turn) -> str:
    """What an answered turn lacks all the same, empty if nothing."""
    if turn.outcome is not TurnOutcome.ANSWERED:
        return ""
    if turn.failure is not None:
        return turn.failure.text
    if turn.voice_lost is not None:
        only_asked = turn.voice_lost.name == "bcast.call"
        sent = "no line shows its audio sent" if only_asked else "its audio was never sent"
        left = "the caller left before its audio came" if turn.caller_left else sent
        return f"{left} ({turn.voice_lost.text})"
    return next((f"{stage.name} never ended" for stage in turn.stages if stage.end_ns is None), "")


def _find_untested(session: Session) -> Iterator[str]:
    """Replies that were not put to the test: nothing is healthy that nobody tried."""
    answered = _count(session, TurnOutcome.ANSWERED)
    parts = [what for turn in session.turns if (what := _find_lack(turn))]
    if parts:
        turns = "a turn was" if len(parts) == 1 else f"{len(parts)} turns were"
        yield f"{turns} answered only in part: {parts[0]}"
    if not session.turns:
        spoke = bool(session.named("media.publish", "media.publish_failed"))
        yield "the caller's audio was published and no turn came of it" if spoke else "no turn was seen"
        if session.named("media.listen_failed") and session.named("media.listen"):
            yield "listening was refused"
    yield from _find_cut_short(session)
    if _count(session, TurnOutcome.OPEN):
        yield "a turn was still being worked on when the lines end"
    broken_off = [turn for turn in session.turns if turn.outcome is TurnOutcome.INTERRUPTED]
    if any(turn.interruption and not turn.interruption.proved for turn in broken_off):
        yield "a turn broke off when the caller spoke again, and no line says that it was stopped for that"
    if broken_off and not any(turn.deliveries for turn in session.turns):
        yield "the caller interrupted before any reply came"
    if _count(session, TurnOutcome.ABANDONED) and not answered:
        yield "the caller left before a reply could come"


def _find_cut_short(session: Session) -> Iterator[str]:
    """How a part of it ended while another went on, and nobody asked anything of it any more."""
    end = find_process_end(session.events, session.neighbours.named(*PROCESS_ENDS, "proc.start"))
    if end is not None:
        yield f"the process of {end.entry.pod} ended, and with it the session's media"
    closes, opens = session.named("ws.close"), session.named("ws.open")
    if closes and len(closes) >= len(opens):
        closed_ns = closes[-1].time_ns
        spoke = [one.time_ns for one in session.named(*_SPOKEN) if one.time_ns > closed_ns + TOGETHER_NS]
        if spoke and not any(turn.start_ns > closed_ns for turn in session.turns):
            lasted_s = (max(spoke) - closed_ns) // NS_PER_S
            yield f"the caller's audio went on for {lasted_s} s after the last socket was closed"


def _summarise(
    status: Status, session: Session, cause: Cause | None, missing: tuple[str, ...], silence: str
) -> str:
    match status:
        case Status.BROKEN if cause is not None:
            return f"{_describe_cut(session)} {cause.summary}".strip()
        case Status.BROKEN:
            return f"{_describe_cut(session) or silence} No check that ran names the cause."
        case Status.DEGRADED:
            return _describe_degraded(session, cause)
        case Status.HEALTHY:
            return f"{describe_turns(session)}; {describe_parts(session)} belong to one session."
        case _ if cause is not None:
            return f"Too little was read to judge the whole session. What was seen: {cause.summary}"
        case _:
            more = "; ".join(missing)
            return f"No check that ran found anything wrong, and not enough was seen to say more: {more}."


def _describe_degraded(session: Session, cause: Cause | None) -> str:
    turns = describe_turns(session)
    if cause is None:
        return f"{turns}. No check that ran names a cause; see the findings."
    all_answered = bool(session.turns) and _count(session, TurnOutcome.ANSWERED) == len(session.turns)
    return f"{turns}, but: {cause.summary}" if all_answered else f"{turns}. {cause.summary}"
