"""The caller finished speaking and got neither text nor audio.

What it tells
    Which turn stayed without a reply, and the last step that it reached.

Why it matters
    This is what a caller means by "my session was silent".

How it decides
    Speech ended: the last audio of an utterance, a trigger of the LLM, audio complete for processing,
    or listening switched off after audio was published. Nothing of the reply was delivered for it.
    Where deliveries carry no type, they count by their place after the LLM's end.

What can fool it
    A turn whose stage is still running may yet be answered. After an empty transcript there is nothing
    to answer, so that is only suspected. A caller who hung up within ten seconds was gone before a
    reply could come; one who waited longer got none, which is suspected if the work still went on. A
    caller who spoke again within ten seconds and was answered may have cut the turn short: suspected, and
    no broken session. A turn that a line calls interrupted got what the caller let it give. Services
    may write deliveries at debug, and exports leave that level out: a reply that was made counts as not
    delivered only if the session's lines show that deliveries would have been read.

What to do
    Look at the step after the last one reached: that is where the turn went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from diag.checks.base import LOGS, MOST_EVIDENCE, ORCHESTRATOR, Check, CheckContext, NotChecked, any_of
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity
from diag.model.instants import NS_PER_S
from diag.model.session import Alias, Session
from diag.model.turns import Turn, TurnOutcome
from diag.session.events import STAGE_EVENTS, stage_of, state_of

_STEPS = {
    "speech.end": "the media server heard the end of the speech",
    "media.publish": "the audio was published to Kafka",
    "media.publish_failed": "publishing the audio to Kafka failed",
    "media.listen": "listening was switched off",
    "kafka.consume": "the orchestrator read the audio from Kafka",
    "turn.trigger": "the audio was complete for processing",
    "turn.start": "the turn began",
    "turn.dropped": "the speech was thrown away",
    "stage.error": "a stage failed",
    "turn.end": "the turn's work ended",
    "bcast.call": "a reply was addressed to the session",
    "bcast.withheld": "no socket was bound to the session, so the reply was withheld",
    "bcast.failed": "the reply could not be written to the socket",
    "reply.publish_failed": "publishing the reply audio to Kafka failed",
}


_MOST_STEPS = 5
"""Ways in which turns ended that a summary names."""


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    if not session.turns:
        context.require_work()
        context.require_entries(ORCHESTRATOR)
    silent = [turn for turn in session.turns if turn.outcome in (TurnOutcome.UNANSWERED, TurnOutcome.EMPTY)]
    if not silent:
        return
    context.require_entries(ORCHESTRATOR)
    context.require_own_socket()
    if not _tells_deliveries(session) and not context.taken_for():
        silent = [turn for turn in silent if not _is_made(turn)]
        if not silent:
            raise NotChecked(
                "no line of any delivery was read, and none of level debug: they may be left out"
            )
    if session.open and not any(turn.end_ns for turn in silent):
        raise NotChecked("the session may still run, so a reply may still come")
    yield _finding(context, silent)


def _tells_deliveries(session: Session) -> bool:
    """Whether a delivery of this session would have been read: others were, or lines of the lowest level."""
    return any(
        event.name.startswith("bcast.") or (event.level == "debug" and event.side == ORCHESTRATOR)
        for event in session.events
    )


def _is_made(turn: Turn) -> bool:
    """Whether a reply was made, and nothing says that it did not arrive."""
    if turn.failure is not None or turn.withheld or turn.outcome is TurnOutcome.EMPTY:
        return False
    return turn.first("turn.end") is not None or any(
        step.name in STAGE_EVENTS and stage_of(step) == "tts" and state_of(step) in ("complete", "")
        for step in turn.steps
    )


def _finding(context: CheckContext, silent: list[Turn]) -> Finding:
    session = context.session
    share = f"{len(silent)} of {len(session.turns)} turns got"
    heard = [turn for turn in silent if turn.outcome is TurnOutcome.UNANSWERED]
    certain = any(turn.caller_left is None and turn.interruption is None for turn in heard)
    sure = context.sureness(ORCHESTRATOR) if certain else Confidence.SUSPECTED
    taken = context.taken_for()
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=sure,
        component=(heard or silent)[0].last_step.entry.service or ORCHESTRATOR,
        title=f"{share} no reply",
        summary=f"{share} neither text nor audio. {_describe(silent)}{_describe_taken(taken)}",
        evidence=(*(alias.evidence for alias in taken), *_collect(silent))[:MOST_EVIDENCE],
        remedy="look at what should have followed the last step reached",
        sessions=session.session_ids,
        subjects=tuple(sorted({turn.last_step.entry.pod for turn in silent if turn.last_step.entry.pod})),
    )


def _describe(silent: list[Turn]) -> str:
    steps = list(dict.fromkeys(_last_step(turn) for turn in silent))
    others = f"; and {len(steps) - _MOST_STEPS} more" if len(steps) > _MOST_STEPS else ""
    return f"The last step reached: {'; '.join(steps[:_MOST_STEPS])}{others}."


def _describe_taken(taken: tuple[Alias, ...]) -> str:
    if not taken:
        return ""
    others = ", ".join(alias.identifier.text for alias in taken[:_MOST_STEPS])
    return f" The orchestrator took {others}, another caller's session, for this one: replies went there."


def _last_step(turn: Turn) -> str:
    if turn.outcome is TurnOutcome.EMPTY:
        return "speech recognition heard no words"
    step = _went_wrong(turn)
    reached = _name_step(step) if step is not None else _name_progress(turn)
    left, spoke = turn.caller_left, turn.interruption
    if spoke is not None:
        return f"{reached}, and the caller spoke again"
    if left is None:
        return reached
    waited_s = (left.time_ns - turn.start_ns) / NS_PER_S
    return f"{reached}, and the caller left after {waited_s:.0f} s"


def _name_progress(turn: Turn) -> str:
    """How far the turn came: the stage that it hung in, else its last step that is no news of a state."""
    hung = next((stage.name for stage in reversed(turn.stages) if stage.ended is None), "")
    if hung:
        return f"{hung} executing"
    steps = (step for step in reversed(turn.steps) if step.name != "bcast.delivered")
    return _name_step(next(steps, turn.last_step))


def _went_wrong(turn: Turn) -> Event | None:
    """What kept the reply back: where both hold, a socket that was missing, or the step that failed before.

    A service may tell its callers that a turn has failed, and find nobody to tell.
    """
    withheld, failure = turn.withheld[-1:], turn.failure
    first_ns = min((step.time_ns for step in turn.withheld), default=None)
    if failure is not None and (first_ns is None or failure.time_ns < first_ns):
        return failure
    return next(iter(withheld), None)


def _name_step(step: Event) -> str:
    stage = step.value("stage") or step.entry.field("service")
    if step.name == "stage":
        return f"{stage} {step.value('state')}"
    if step.name == "stage.error" and stage:
        return f"{stage} failed"
    named = _STEPS.get(step.name, step.entry.message)
    reason = step.value("reason") if step.name == "turn.dropped" else ""
    return f"{named} ({reason})" if reason else named


def _collect(silent: list[Turn]) -> tuple[Evidence, ...]:
    """Of each turn what ended the speech, what withheld the reply, and the last line."""
    found: list[Evidence] = []
    for turn in silent:
        again = turn.interruption.by if turn.interruption else None
        events = (turn.trigger, *turn.withheld[-1:], turn.failure, turn.last_step, turn.caller_left, again)
        found += (event.to_evidence() for event in events if event is not None)
    return tuple(dict.fromkeys(found))[:MOST_EVIDENCE]


CHECK = Check(
    slug="turn-no-reply",
    title="a turn got no reply",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(LOGS),
    run=_run,
)
