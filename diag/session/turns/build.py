"""Events -> turns: from the end of the caller's speech to the reply, or to where it stopped.

Which step belongs to which turn is `assembly`'s matter; here each turn is measured and judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diag.model.clocks import Clocks
from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.ledger import Stamp
from diag.model.turns import Stage, Turn, TurnOutcome
from diag.session.events import STAGE_EVENTS, stage_of, state_of
from diag.session.order.timing import Timing
from diag.session.turns.assembly import assemble_turns
from diag.session.turns.drafts import TRIGGERS, Draft
from diag.session.turns.interruption import PATIENCE_NS, find_interruption
from diag.session.turns.ledger import build_ledger
from diag.session.turns.replay import mark_replays
from diag.session.turns.words import find_words

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

_REPLIES = ("reply.played", "bcast.delivered")
_FAILED = ("error", "failed")
_FAILURES = ("stage.error", "media.publish_failed", "reply.publish_failed", "turn.dropped")

_AS_WRITTEN = Clocks()


def build_turns(
    events: Sequence[Event],
    departures: Sequence[Event],
    open_until_ns: int | None,
    clocks: Clocks = _AS_WRITTEN,
) -> tuple[Turn, ...]:
    """The session's turns in order of their start, by adjusted times.

    Args:
        events: of the session, in order.
        departures: those of them with which the caller left.
        open_until_ns: the end of what was read; a stage that runs there and is younger than
            `LONGEST_STAGE_NS` leaves its turn open.
        clocks: how far the pods' clocks differ.
    """
    timing = Timing(events, clocks)
    drafts = assemble_turns(events, timing)
    around = _Around(events, departures, open_until_ns, timing, drafts)
    turns = (_to_turn(draft, around) for draft in drafts if _is_turn(draft))
    kept = sorted((turn for turn in turns if not _is_farewell(turn)), key=lambda turn: turn.start.ns)
    return mark_replays(kept, events)


@dataclass(frozen=True, slots=True)
class _Around:
    """What a turn is judged by besides its own steps."""

    events: Sequence[Event]
    departures: Sequence[Event]
    open_until_ns: int | None
    timing: Timing
    drafts: Sequence[Draft]


def _is_turn(draft: Draft) -> bool:
    """Audio alone is none; something must have said that the speech ended or the work began."""
    return any(
        step.name in (*TRIGGERS, "turn.audio_data", "turn.start", "stage", "media.listen")
        for step in draft.steps
    )


def _is_farewell(turn: Turn) -> bool:
    """Clients switch listening off when they hang up, too."""
    return turn.trigger.name == "media.listen" and turn.outcome is TurnOutcome.ABANDONED


def _to_turn(draft: Draft, around: _Around) -> Turn:
    steps, timing = draft.steps, around.timing
    # listening off is told by another clock than the work: it counts only where nothing else tells
    trigger = draft.first(*TRIGGERS, "turn.audio_data") or draft.first("turn.start") or steps[0]
    stages, deliveries = _build_stages(steps, timing), tuple(_replies(steps))
    start, end = timing.stamp(trigger), _find_end(draft, trigger, timing)
    left = _find_departure(trigger, draft, around)
    broken = find_interruption(draft, deliveries, around.drafts, around.events, timing)
    cut = broken is not None and (bool(deliveries) or broken.proved)
    outcome = TurnOutcome.ANSWERED if deliveries else _judge_silence(draft, stages, left, around)
    return Turn(
        turn_id=draft.turn_id,
        trigger=trigger,
        start=start,
        end=end,
        stages=stages,
        outcome=TurnOutcome.INTERRUPTED if cut else outcome,
        deliveries=deliveries,
        last_step=steps[-1],
        ledger=None if end is None else build_ledger(start, end, stages, steps, timing),
        withheld=tuple(step for step in steps if step.name in ("bcast.withheld", "bcast.failed")),
        failure=_find_failure(steps),
        caller_left=left if left and _is_in_work(steps, stages, left, timing) else None,
        interruption=broken,
        words=find_words(steps),
        steps=tuple(steps),
    )


def _find_end(draft: Draft, trigger: Event, timing: Timing) -> Stamp | None:
    """The end of its work, else its last step; None for speech of which nothing more is known."""
    end = draft.first("turn.end") or max(draft.steps, key=timing.ns)
    return None if end is trigger else timing.stamp(end)


def _find_failure(steps: Sequence[Event]) -> Event | None:
    """The last step that failed and was not made good by another attempt."""
    made_good: set[str] = set()
    for step in reversed(steps):
        if step.name not in STAGE_EVENTS and step.name not in _FAILURES:
            continue
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
        if step.name not in _REPLIES:
            continue
        kind = step.value("message_type", "type")
        if step.name == "reply.played" or (
            step.name == "bcast.delivered" and (kind in REPLY_TYPES if kind else answered)
        ):
            yield step


def _shows_answer(step: Event) -> bool:
    """Whether the LLM had answered by this step: it says so, or what follows it has begun."""
    if step.name not in STAGE_EVENTS:
        return False
    stage, state = stage_of(step), state_of(step)
    if stage == "llm":
        return step.name == "stage.done" or state == "complete"
    return stage == "tts" and bool(state or step.name == "stage.done")


def _build_stages(steps: Sequence[Event], timing: Timing) -> tuple[Stage, ...]:
    """Each attempt of each stage, in order of their start."""
    stages: list[Stage] = []
    for step in (one for one in steps if one.name in STAGE_EVENTS):
        name, state = stage_of(step), state_of(step)
        running = next((n for n, one in enumerate(stages) if one.name == name and one.ended is None), None)
        if state == "executing" and running is None:
            stages.append(Stage(name, timing.stamp(step), None, state))
        elif running is not None and (state in ("complete", "error") or step.name == "stage.done"):
            one = stages[running]
            stages[running] = Stage(name, one.begun, timing.stamp(step), state or "complete")
    return tuple(stages)


def _judge_silence(draft: Draft, stages: Sequence[Stage], left: Event | None, around: _Around) -> TurnOutcome:
    """Why nothing was delivered."""
    if draft.first("turn.empty_transcript", "turn.skipped"):
        return TurnOutcome.EMPTY
    if left is not None:
        waited_ns = around.timing.ns(left) - around.timing.ns(draft.steps[0])
        return TurnOutcome.ABANDONED if waited_ns < PATIENCE_NS else TurnOutcome.UNANSWERED
    if around.open_until_ns is not None and _may_go_on(draft, stages, around.open_until_ns):
        return TurnOutcome.OPEN
    return TurnOutcome.UNANSWERED


def _may_go_on(draft: Draft, stages: Sequence[Stage], until_ns: int) -> bool:
    """Whether the lines end before the turn does: in a stage, or right behind its last step."""
    running = [stage for stage in stages if stage.ended is None]
    if running:
        return until_ns - running[-1].start_ns < LONGEST_STAGE_NS
    over = draft.ended or draft.first(*_FAILURES, "bcast.withheld", "bcast.failed") is not None
    return not over and until_ns - draft.steps[-1].time_ns < _NEXT_STEP_NS


def _is_in_work(steps: Sequence[Event], stages: Sequence[Stage], left: Event, timing: Timing) -> bool:
    """Whether something was still being done for the turn when the caller left."""
    at_ns = timing.ns(left)
    return any(timing.ns(step) > at_ns for step in steps) or any(
        stage.ended is None and at_ns - stage.begun.ns < LONGEST_STAGE_NS for stage in stages
    )


def _find_departure(trigger: Event, draft: Draft, around: _Around) -> Event | None:
    """The caller's leaving, if the turn had come to no end by then."""
    ns, end = around.timing.ns, draft.first("turn.end", "stage.error", "turn.dropped")
    return next(
        (one for one in around.departures if ns(one) > ns(trigger) and (end is None or ns(one) < ns(end))),
        None,
    )
