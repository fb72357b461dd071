"""Events -> turns: from the end of the caller's speech to the reply, or to where it stopped.

Which step belongs to which turn is `assembly`'s matter; here each turn is measured and judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from diag.model.clocks import Clocks
from diag.model.instants import NS_PER_S
from diag.model.ledger import Stage
from diag.model.session import Event, Turn, TurnOutcome
from diag.session.assembly import TRIGGERS, Draft, assemble_turns, stage_of, state_of
from diag.session.timing import Timing

REPLY_TYPES = frozenset(
    {
        "llm_response_text",
        "reply_audio",
        "ai_response",
        "ai_audio",
        "tts_audio",
        "tts_audio_chunk",
        "response",
    }
)
"""WebSocket messages that carry a reply; every other type (states, transcripts) is none."""

LONGEST_STAGE_NS = 400 * NS_PER_S
"""Three attempts of 120 s and the waits between them take 366 s; a younger open stage may still end."""

_NEXT_STEP_NS = 5 * NS_PER_S
"""Between two stages of a turn pass milliseconds."""

_AS_WRITTEN = Clocks()
_HANDED_OVER = ("bcast.delivered", "reply.published")

_FAILED = ("error", "failed")
_FAILURES = ("stage.error", "media.publish_failed", "reply.publish_failed")

PATIENCE_NS = 10 * NS_PER_S
"""A caller who hangs up after less was gone before a reply could come; who waited longer got none."""


def build_turns(
    events: Sequence[Event],
    departures: Sequence[Event],
    open_until_ns: int | None,
    clocks: Clocks = _AS_WRITTEN,
) -> tuple[Turn, ...]:
    """The session's turns in order of their start.

    Args:
        events: of the session, in order.
        departures: those of them with which the caller left.
        open_until_ns: the end of what was read; a stage that runs there and is younger than
            `LONGEST_STAGE_NS` leaves its turn open.
        clocks: by which durations are measured.
    """
    timing = Timing(events, clocks)
    drafts = (draft for draft in assemble_turns(events) if _is_turn(draft))
    turns = [_to_turn(draft, timing, departures, open_until_ns) for draft in drafts]
    return tuple(sorted((t for t in turns if not _is_farewell(t)), key=lambda turn: turn.start.ns))


def _is_turn(draft: Draft) -> bool:
    """Audio alone is none; something must have said that the speech ended or the work began."""
    return any(
        step.name in (*TRIGGERS, "turn.audio_data", "turn.start", "stage", "media.listen")
        for step in draft.steps
    )


def _is_farewell(turn: Turn) -> bool:
    """Clients switch listening off when they hang up, too."""
    return turn.trigger.name == "media.listen" and turn.outcome is TurnOutcome.ABANDONED


def _to_turn(draft: Draft, timing: Timing, departures: Sequence[Event], open_until_ns: int | None) -> Turn:
    steps = draft.steps
    # listening off is told by another clock than the work: it counts only where nothing else tells
    trigger = draft.first(*TRIGGERS, "turn.audio_data") or draft.first("turn.start") or steps[0]
    stages, deliveries = _build_stages(steps, timing), tuple(_replies(steps))
    end = draft.first("turn.end") or (steps[-1] if timing.ns(steps[-1]) > timing.ns(trigger) else None)
    left = _find_departure(trigger, draft, departures)
    return Turn(
        turn_id=draft.turn_id,
        trigger=trigger,
        start=timing.stamp(trigger),
        end=None if end is None else timing.stamp(end),
        stages=stages,
        outcome=_judge(draft, stages, deliveries, left, open_until_ns),
        deliveries=deliveries,
        last_step=steps[-1],
        handed_over=tuple(timing.stamp(step) for step in steps if step.name in _HANDED_OVER),
        withheld=tuple(step for step in steps if step.name in ("bcast.withheld", "bcast.failed")),
        failure=_find_failure(steps),
        caller_left=left if left and _is_in_work(steps, stages, left.time_ns) else None,
    )


def _find_failure(steps: Sequence[Event]) -> Event | None:
    """The last step that failed and was not made good by another attempt."""
    made_good: set[str] = set()
    for step in reversed(steps):
        stage, state = stage_of(step), state_of(step)
        if state == "complete":
            made_good.add(stage)
        if (step.name in _FAILURES or state == "error") and not (stage and stage in made_good):
            return step
    failed = (step for step in steps if step.name == "turn.end" and step.value("outcome") in _FAILED)
    return next(failed, None)


def _replies(steps: Sequence[Event]) -> Iterable[Event]:
    """Deliveries of a reply: by message type where it is logged, else by place after the LLM's end."""
    answered = False
    for step in steps:
        answered = answered or _shows_answer(step)
        kind = step.value("message_type", "type")
        if step.name == "reply.played" or (
            step.name == "bcast.delivered" and (kind in REPLY_TYPES if kind else answered)
        ):
            yield step


def _shows_answer(step: Event) -> bool:
    """Whether the LLM had answered by this step: it says so, or what follows it has begun."""
    stage, state = stage_of(step), state_of(step)
    if stage == "llm":
        return step.name == "stage.done" or state == "complete"
    return stage == "tts" and bool(state or step.name == "stage.done")


def _build_stages(steps: Sequence[Event], timing: Timing) -> tuple[Stage, ...]:
    """Each attempt of each stage, in order of their start."""
    stages: list[Stage] = []
    for step in steps:
        name, state = stage_of(step), state_of(step)
        running = next((n for n, one in enumerate(stages) if one.name == name and one.ended is None), None)
        if state == "executing" and running is None:
            stages.append(Stage(name, timing.stamp(step), None, state))
        elif running is not None and (state in ("complete", "error") or step.name == "stage.done"):
            ended = timing.stamp(step)
            stages[running] = replace(stages[running], ended=ended, state=state or "complete")
    return tuple(stages)


def _judge(
    draft: Draft,
    stages: Sequence[Stage],
    deliveries: Sequence[Event],
    left: Event | None,
    open_until_ns: int | None,
) -> TurnOutcome:
    if deliveries:
        return TurnOutcome.ANSWERED
    if draft.first("turn.empty_transcript", "turn.skipped"):
        return TurnOutcome.EMPTY
    if left is not None:
        waited_ns = left.time_ns - draft.steps[0].time_ns
        return TurnOutcome.ABANDONED if waited_ns < PATIENCE_NS else TurnOutcome.UNANSWERED
    if open_until_ns is not None and _may_go_on(draft, stages, open_until_ns):
        return TurnOutcome.OPEN
    return TurnOutcome.UNANSWERED


def _may_go_on(draft: Draft, stages: Sequence[Stage], until_ns: int) -> bool:
    """Whether the lines end before the turn does: in a stage, or right behind its last step."""
    running = [stage for stage in stages if stage.end_ns is None]
    if running:
        return until_ns - running[-1].start_ns < LONGEST_STAGE_NS
    over = draft.ended or draft.first(*_FAILURES, "bcast.withheld", "bcast.failed") is not None
    return not over and until_ns - draft.steps[-1].time_ns < _NEXT_STEP_NS


def _is_in_work(steps: Sequence[Event], stages: Sequence[Stage], at_ns: int) -> bool:
    """Whether something was still being done for the turn at that time."""
    return any(step.time_ns > at_ns for step in steps) or any(
        stage.end_ns is None and at_ns - stage.start_ns < LONGEST_STAGE_NS for stage in stages
    )


def _find_departure(trigger: Event, draft: Draft, departures: Iterable[Event]) -> Event | None:
    """The caller's leaving, if the turn had come to no end by then."""
    end = draft.first("turn.end", "stage.error")
    return next(
        (
            event
            for event in departures
            if event.time_ns > trigger.time_ns and (end is None or event.time_ns < end.time_ns)
        ),
        None,
    )
