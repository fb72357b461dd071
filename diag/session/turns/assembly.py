"""Hands each step of a session to the turn that it belongs to.

Services that give each turn an ID are joined by it; an utterance's number ties the media server's
lines to the turn that came of it. Without either, the course of a turn decides: a step goes to the
turn that waits for just this step, the oldest first, and what is said of no stage goes where the
step before it went.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from diag.model.catalogue import STAGES
from diag.model.events import Event
from diag.session.events import STAGE_EVENTS, is_final_audio, is_listening, stage_of, state_of
from diag.session.order.timing import Timing
from diag.session.turns.drafts import TRIGGERS, Draft, find_waiting

BROKEN_OFF = ("turn.interrupted", "reply.stopped")

_STEPS = frozenset(
    {
        *TRIGGERS, "media.publish", "media.publish_failed", "kafka.consume", "turn.audio_data", "turn.start",
        "turn.end", "turn.empty_transcript", "turn.empty_audio", "turn.skipped", "stage", "stage.done",
        "stage.error", "bcast.call", "bcast.delivered", "bcast.failed", "bcast.withheld",
        "reply.published", "reply.publish_failed", "reply.played", "reply.dropped",
        "stage.input", "stage.text", "stage.stand_in", "turn.dropped",
    }
)  # fmt: skip
_ONCE = frozenset({*TRIGGERS, *STAGE_EVENTS, "turn.audio_data", "turn.start", "turn.end"})
"""Steps that a turn takes once: no session writes one twice at one instant."""

_ONLY_WITH_UTTERANCE = ("media.publish", "media.publish_failed", "kafka.consume")
_REPLYING = ("bcast.call", "bcast.delivered", "reply.published", "reply.played")

_MOST_OPEN = 200
"""Turns without an end among which a step's own is looked for: what is older has ended, told or not."""


def assemble_turns(events: Sequence[Event], timing: Timing) -> list[Draft]:
    """The turns of a session's events, in the order in which they were opened."""
    assembler = _Assembler(timing)
    for event in events:
        assembler.take(event)
    return assembler.turns


class _Assembler:
    def __init__(self, timing: Timing) -> None:
        self.turns: list[Draft] = []
        self._timing = timing
        self._current: Draft | None = None
        self._listening: list[Event] = []
        self._going: list[Draft] = []
        self._of_id: dict[str, Draft] = {}
        self._of_utterance: defaultdict[str, list[Draft]] = defaultdict(list)
        self._taken: set[tuple[object, ...]] = set()

    def take(self, event: Event) -> None:
        if event.name in _ONCE and self._is_taken(event):
            return
        if event.name == "media.listen":
            self._take_listening(event)
        elif event.name in BROKEN_OFF:
            broken = self._find_broken_off(event)
            if broken is not None:
                broken.add(event)
        elif event.name in _STEPS and not (event.name == "turn.audio_data" and not is_final_audio(event)):
            if event.name == "media.publish":
                self._listening.append(event)
            draft = self._draft_for(event)
            if draft is not None:
                self._current = draft
                draft.add(event)

    def _is_taken(self, event: Event) -> bool:
        """Whether the same line was taken before: it came twice, under two insert IDs or out of two files."""
        entry = event.entry
        fields = tuple((name, str(value)) for name, value in entry.fields.items())
        line = (entry.time_ns, entry.pod, entry.message, entry.ids, fields)
        known = line in self._taken
        self._taken.add(line)
        return known

    def _take_listening(self, event: Event) -> None:
        """Listening off after published audio ends speech that no pipeline took up."""
        if is_listening(event):
            self._listening = []
            return
        published = [step for step in self._listening if not step.entry.field("utterance")]
        since = self._timing.ns(published[0]) if published else None
        taken_up = since is None or any(
            not turn.ended or self._timing.ns(turn.steps[-1]) >= since for turn in self.turns
        )
        # whose speech goes over the socket says there when it ends; the media server hears it all the same
        over_socket = any(turn.first("turn.audio_data") for turn in self.turns)
        if not taken_up and not over_socket:
            self._open(Draft(steps=[event]))
        self._listening = []

    def _find_broken_off(self, event: Event) -> Draft | None:
        """The turn that a line calls broken off: the latest with a reply on its way, else at work.

        An utterance that stands there is the one that broke it off.
        """
        named = event.entry.ids_in("turn")
        if named:
            return next((draft for draft in self.turns if draft.turn_id == named[0]), None)
        replied = (one for one in reversed(self.turns) if one.first(*_REPLYING) and not one.interrupted)
        working = (one for one in reversed(self.turns) if one.began_work and not one.ended)
        return next(replied, None) or next(working, None)

    def _draft_for(self, event: Event) -> Draft | None:
        turn_ids, utterance = event.entry.ids_in("turn"), event.entry.field("utterance")
        if turn_ids:
            return self._by_id(turn_ids[0], utterance)
        if utterance:
            return self._by_utterance(utterance, event)
        if event.name in _ONLY_WITH_UTTERANCE:
            return None
        return self._by_course(event)

    def _by_id(self, turn_id: str, utterance: str) -> Draft:
        own, spoken = self._of_id.get(turn_id), self._find_speech(utterance)
        if own is None:
            own = self._of_id[turn_id] = spoken or self._open(Draft(utterance=utterance))
            own.turn_id = turn_id
        elif spoken is not None and not own.utterance:
            # another pod's clock put a line of the turn before the one that names its utterance
            self._close(spoken)
            own.absorb(spoken, self._timing)
            self._of_utterance[own.utterance].append(own)
        return own

    def _find_speech(self, utterance: str) -> Draft | None:
        """The speech that a turn came of: by its number, else the last one that no turn has taken up."""
        if utterance:
            same = reversed(self._of_utterance.get(utterance, []))
            return next((draft for draft in same if not draft.turn_id), None)
        last = self.turns[-1] if self.turns else None
        waits = last is not None and last.utterance and not last.turn_id and not last.began_work
        return last if waits else None

    def _by_utterance(self, utterance: str, event: Event) -> Draft:
        """The last turn of that utterance; a second end of speech is one of a new connection's count."""
        known = next(reversed(self._of_utterance.get(utterance, [])), None)
        if known is None or (event.name in TRIGGERS and known.first(event.name) is not None):
            return self._open(Draft(utterance=utterance))
        return known

    def _by_course(self, event: Event) -> Draft | None:
        last = self.turns[-1] if self.turns else None
        if event.name in (*TRIGGERS, "turn.audio_data"):
            joins = last is not None and not last.began_work and last.is_fresh(event, self._timing)
            return last if joins else self._open(Draft())
        if event.name == "turn.start":
            joins = last is not None and not last.ended and last.first("turn.start") is None
            return last if joins and last and last.is_fresh(event, self._timing) else self._open(Draft())
        self._going = [one for one in self._going if not one.ended][-_MOST_OPEN:]
        running = [one for one in self._going if not one.only_silence]
        going = [one for one in running if not one.interrupted]
        return self._among_open(event, going or (running if event.name == "turn.end" else []))

    def _among_open(self, event: Event, running: list[Draft]) -> Draft | None:
        """The running turn that a step belongs to; what comes after the last one's end is no part of it."""
        if state_of(event) and stage_of(event) in STAGES:
            waiting = find_waiting(event, running)
            if waiting is not None:
                return waiting
            if state_of(event) == "executing":
                running = [draft for draft in running if not draft.fruitless]
                if not running:
                    return self._find_silence(event) or self._open(Draft())
        if event.name == "turn.end":
            # the end is written right behind the last stage's
            done = [draft for draft in running if draft.stages and not any(draft.stages.values())]
            return max(done or running, key=lambda draft: draft.steps[-1].time_ns, default=None)
        if self._current in running:
            return self._current
        return running[-1] if running else None

    def _find_silence(self, event: Event) -> Draft | None:
        """The silence that what begins with `event` takes up, though the line that says so is lost."""
        last = self.turns[-1] if self.turns else None
        waits = last is not None and last.only_silence and last.is_fresh(event, self._timing)
        return last if waits else None

    def _open(self, draft: Draft) -> Draft:
        self.turns.append(draft)
        self._going.append(draft)
        if draft.utterance:
            self._of_utterance[draft.utterance].append(draft)
        return draft

    def _close(self, draft: Draft) -> None:
        """It was another turn's beginning."""
        self.turns.remove(draft)
        self._of_utterance[draft.utterance].remove(draft)
        if draft in self._going:
            self._going.remove(draft)
