"""Events -> turns: from the end of the caller's speech to the reply, or to where it stopped.

Services that give each turn an ID are joined by it; an utterance's number ties the media server's
lines to the turn that came of it. Without either, order decides: a trigger opens a turn, and what
follows belongs to the last one opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from diag.model.session import Event, Stage, Turn, TurnOutcome
from diag.session.events import is_final_audio, is_listening

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

LONGEST_STAGE_NS = 400 * 1_000_000_000
"""Three attempts of 120 s and the waits between them take 366 s; a younger open stage may still end."""

_TRIGGERS = ("turn.trigger", "speech.end")
_SPEECH_ENDED = (*_TRIGGERS, "turn.audio_data", "media.listen")
_STEPS = frozenset(
    {
        *_TRIGGERS, "media.publish", "media.publish_failed", "kafka.consume", "turn.audio_data", "turn.start",
        "turn.end", "turn.empty_transcript", "turn.empty_audio", "turn.skipped", "stage", "stage.done",
        "stage.error", "bcast.call", "bcast.delivered", "bcast.failed", "bcast.withheld", "bcast.skipped",
        "reply.published", "reply.publish_failed", "reply.played",
    }
)  # fmt: skip
_ONLY_WITH_UTTERANCE = ("media.publish", "media.publish_failed", "kafka.consume")
_FAILURES = ("stage.error", "media.publish_failed", "reply.publish_failed")

_TAKEN_UP_NS = 10 * 1_000_000_000
"""Clients switch listening off and then send the last audio, or ask for the answer."""

PATIENCE_NS = 10 * 1_000_000_000
"""A caller who hangs up after less was gone before a reply could come; who waited longer got none."""


@dataclass(slots=True)
class _Draft:
    turn_id: str = ""
    utterance: str = ""
    steps: list[Event] = field(default_factory=list)

    @property
    def began_work(self) -> bool:
        """More happened than that speech ended."""
        return any(step.name not in _SPEECH_ENDED for step in self.steps)

    def may_take(self, trigger: Event) -> bool:
        """Whether a trigger speaks of this very speech."""
        only_silence = all(step.name == "media.listen" for step in self.steps)
        late = only_silence and trigger.time_ns - self.steps[-1].time_ns > _TAKEN_UP_NS
        return not self.began_work and not late

    @property
    def ended(self) -> bool:
        return any(step.name == "turn.end" for step in self.steps)

    def first(self, *names: str) -> Event | None:
        return next((step for step in self.steps if step.name in names), None)


def build_turns(
    events: Sequence[Event], departures: Sequence[Event], open_until_ns: int | None
) -> tuple[Turn, ...]:
    """The session's turns in order of their start.

    Args:
        events: of the session, in order.
        departures: those of them with which the caller left.
        open_until_ns: the end of what was read; a stage that runs there and is younger than
            `LONGEST_STAGE_NS` leaves its turn open.
    """
    drafts = _Assembler()
    for event in events:
        drafts.take(event)
    turns = [_to_turn(draft, departures, open_until_ns) for draft in drafts.turns if _is_turn(draft)]
    return tuple(sorted(turns, key=lambda turn: turn.start_ns))


class _Assembler:
    """Hands each event to the turn that it belongs to."""

    def __init__(self) -> None:
        self.turns: list[_Draft] = []
        self._listening: list[Event] = []

    def take(self, event: Event) -> None:
        if event.name == "media.listen":
            self._take_listening(event)
        elif event.name in _STEPS and not (event.name == "turn.audio_data" and not is_final_audio(event)):
            if event.name == "media.publish":
                self._listening.append(event)
            draft = self._draft_for(event)
            if draft is not None:
                draft.steps.append(event)

    def _take_listening(self, event: Event) -> None:
        """Listening off after published audio ends speech that no pipeline took up."""
        if is_listening(event):
            self._listening = []
            return
        published = [step for step in self._listening if not step.entry.field("utterance")]
        since = published[0].time_ns if published else None
        if since is not None and not any(t.steps[-1].time_ns >= since for t in self.turns if t.steps):
            self.turns.append(_Draft(steps=[event]))
        self._listening = []

    def _draft_for(self, event: Event) -> _Draft | None:
        turn_ids, utterance = event.entry.ids_in("turn"), event.entry.field("utterance")
        if turn_ids:
            return self._by_id(turn_ids[0], utterance)
        if utterance:
            return self._by_utterance(utterance, event)
        if event.name in _ONLY_WITH_UTTERANCE:
            return None
        return self._by_order(event)

    def _by_id(self, turn_id: str, utterance: str) -> _Draft:
        for draft in reversed(self.turns):
            if draft.turn_id == turn_id:
                return draft
            if utterance and draft.utterance == utterance and not draft.turn_id:
                draft.turn_id = turn_id
                return draft
        return self._open(_Draft(turn_id=turn_id, utterance=utterance))

    def _by_utterance(self, utterance: str, event: Event) -> _Draft:
        """The last turn of that utterance; a second end of speech is one of a new connection's count."""
        known = next((draft for draft in reversed(self.turns) if draft.utterance == utterance), None)
        if known is None or (event.name in _TRIGGERS and known.first(event.name) is not None):
            return self._open(_Draft(utterance=utterance))
        return known

    def _by_order(self, event: Event) -> _Draft | None:
        last = self.turns[-1] if self.turns else None
        if event.name in (*_TRIGGERS, "turn.audio_data"):
            opens = last is None or not last.may_take(event)
        elif event.name == "turn.start":
            opens = last is None or last.ended or last.first("turn.start") is not None
        else:
            opens = (
                event.name == "stage" and (last is None or last.ended) and event.value("state") == "executing"
            )
        if opens:
            return self._open(_Draft())
        # what comes after a turn's end (states sent to a new socket, say) is no part of it
        return None if last is None or last.ended else last

    def _open(self, draft: _Draft) -> _Draft:
        self.turns.append(draft)
        return draft


def _is_turn(draft: _Draft) -> bool:
    """Audio alone is none; something must have said that the speech ended or the work began."""
    return any(
        step.name in (*_TRIGGERS, "turn.audio_data", "turn.start", "stage", "media.listen")
        for step in draft.steps
    )


def _to_turn(draft: _Draft, departures: Sequence[Event], open_until_ns: int | None) -> Turn:
    steps = draft.steps
    trigger = draft.first(*_TRIGGERS, "turn.audio_data", "media.listen") or steps[0]
    stages, deliveries = _build_stages(steps), tuple(_replies(steps))
    end = draft.first("turn.end") or (steps[-1] if steps[-1].time_ns > trigger.time_ns else None)
    left = _find_departure(trigger, draft, departures)
    return Turn(
        turn_id=draft.turn_id,
        trigger=trigger,
        start_ns=trigger.time_ns,
        end_ns=None if end is None else max(end.time_ns, trigger.time_ns),
        stages=stages,
        outcome=_judge(draft, stages, deliveries, left, open_until_ns),
        deliveries=deliveries,
        last_step=steps[-1],
        withheld=tuple(step for step in steps if step.name in ("bcast.withheld", "bcast.failed")),
        failure=next((step for step in reversed(steps) if _is_failure(step)), None),
        caller_left=left if left and _is_in_work(steps, stages, left.time_ns) else None,
    )


def _is_failure(step: Event) -> bool:
    return step.name in _FAILURES or (step.name == "stage" and step.value("state") == "error")


def _replies(steps: Sequence[Event]) -> Iterable[Event]:
    """Deliveries of a reply: by message type where it is logged, else by place after the LLM's end."""
    answered = False
    for step in steps:
        if step.name == "stage.done" and step.value("stage") == "llm":
            answered = True
        kind = step.value("message_type", "type")
        if step.name == "reply.played" or (
            step.name == "bcast.delivered" and (kind in REPLY_TYPES if kind else answered)
        ):
            yield step


def _build_stages(steps: Sequence[Event]) -> tuple[Stage, ...]:
    stages: dict[str, Stage] = {}
    for step in steps:
        if step.name not in ("stage", "stage.error"):
            continue
        # "service" is the stage in the reference system's lines, and the writer in others
        name = step.value("stage") or step.entry.field("service")
        state = "error" if step.name == "stage.error" else step.value("state")
        running = stages.get(name)
        if state == "executing" and (running is None or running.end_ns is not None):
            stages[name] = Stage(name, step.time_ns, None, state)
        elif state in ("complete", "error") and running is not None and running.end_ns is None:
            stages[name] = Stage(name, running.start_ns, step.time_ns, state)
    return tuple(sorted(stages.values(), key=lambda stage: stage.start_ns))


def _judge(
    draft: _Draft,
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
    running = [stage for stage in stages if stage.end_ns is None]
    if running and open_until_ns is not None and open_until_ns - running[-1].start_ns < LONGEST_STAGE_NS:
        return TurnOutcome.OPEN
    return TurnOutcome.UNANSWERED


def _is_in_work(steps: Sequence[Event], stages: Sequence[Stage], at_ns: int) -> bool:
    """Whether something was still being done for the turn at that time."""
    return any(step.time_ns > at_ns for step in steps) or any(
        stage.end_ns is None and at_ns - stage.start_ns < LONGEST_STAGE_NS for stage in stages
    )


def _find_departure(trigger: Event, draft: _Draft, departures: Iterable[Event]) -> Event | None:
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
