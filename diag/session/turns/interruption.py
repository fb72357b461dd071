"""Turns that the caller broke off by speaking: what says so, and what only makes it likely.

A line that says so is proof. Without one, speech that begins while the reply is on its way makes it likely,
if the turn's course then ends short of where the session's other turns come to. A turn of which nothing had
reached the caller stays unanswered, then: whoever asks again after a silence speaks over nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.turns import Interruption
from diag.session.events import state_of
from diag.session.order.timing import Timing
from diag.session.turns.drafts import TRIGGERS, Draft

PATIENCE_NS = 10 * NS_PER_S
"""Who does something else after less did not wait for the reply; who waited longer got none."""

_INTERRUPTED = re.compile(
    r"interrupt|barg(?:e|ed|ing)[ _-]?in|supersed|(?:caller|user)[ _-](?:spoke|speech|speaks)"
)
"""How outcomes and reasons call it."""

_FAILED = ("failed", "error", "withheld", "dropped")

_MOST_COMPARED = 200
"""Turns of a session from which it is learnt how far its turns come; in some deployments none has an end."""

_AFTERMATH_NS = NS_PER_S
"""What was under way when the caller spoke is still written."""

_AT_ONCE_NS = 2 * NS_PER_S
"""Playing stops within so much of the speech that stops it."""


def find_interruption(
    draft: Draft,
    deliveries: Sequence[Event],
    drafts: Sequence[Draft],
    events: Sequence[Event],
    timing: Timing,
) -> Interruption | None:
    """By what a turn was broken off; None if nothing speaks for it."""
    said = next((step for step in draft.steps if _says_so(step, events, timing)), None)
    if said is not None:
        return Interruption(said, proved=True)
    if not _ends_short(
        draft, drafts
    ):  # most turns come to their end: only of the others all is looked through
        return None
    over = _find_speech_over(draft, deliveries[0] if deliveries else draft.steps[0], events, timing)
    if over is None or _goes_on(draft, over, timing):
        return None
    waited_ns = timing.ns(over) - timing.ns(draft.steps[0])
    if not deliveries and (waited_ns > PATIENCE_NS or not _is_taken_up(draft, drafts)):
        return None
    return Interruption(over, proved=False)


def _find_speech_over(draft: Draft, since: Event, events: Iterable[Event], timing: Timing) -> Event | None:
    """The first speech after `since` that is not what the turn came of."""
    own, since_ns = {step.entry.order for step in draft.steps}, timing.ns(since)
    later = (one for one in events if _is_speech(one) and timing.ns(one) > since_ns)
    return next((one for one in later if not _is_own(one, draft, own)), None)


def _is_speech(event: Event) -> bool:
    return event.name == "speech.start" or event.name in TRIGGERS


def _says_so(step: Event, events: Iterable[Event], timing: Timing) -> bool:
    """Whether a line says that the caller broke the turn off."""
    if step.name == "turn.interrupted":
        return True
    if step.name == "turn.end":
        return _INTERRUPTED.search(step.value("outcome").lower()) is not None
    if step.name != "reply.stopped":
        return False
    reason = step.value("reason").lower()
    if reason:
        return _INTERRUPTED.search(reason) is not None
    # replies are stopped for more reasons than one: here the caller must have spoken just then
    at_ns = timing.ns(step)
    return any(_is_speech(one) and abs(at_ns - timing.ns(one)) <= _AT_ONCE_NS for one in events)


def _is_own(event: Event, draft: Draft, own: set[int]) -> bool:
    """Whether it is the speech that the turn came of."""
    utterance = event.entry.field("utterance")
    return event.entry.order in own or bool(utterance and utterance == draft.utterance)


def _ends_short(draft: Draft, drafts: Iterable[Draft]) -> bool:
    """Whether it lacks its end and more, and other turns have them: one line of a whole turn may be lost."""
    if draft.ended or any(step.name.endswith(_FAILED) for step in draft.steps):
        return False
    whole = (one for one in islice(drafts, _MOST_COMPARED) if one is not draft and one.ended)
    if any(draft.stages.values()):
        return next(whole, None) is not None
    reached = _marks(draft)
    return any(_marks(one) - reached for one in whole)


def _marks(draft: Draft) -> frozenset[str]:
    """How far towards the caller its reply came."""
    spoken = {"spoken"} if "tts" in draft.stages and draft.stages["tts"] is None else set[str]()
    return frozenset(spoken | ({"played"} if draft.first("reply.played") else set()))


def _goes_on(draft: Draft, over: Event, timing: Timing) -> bool:
    """Whether the turn is worked on after the caller spoke."""
    after = [step for step in draft.steps if timing.ns(step) > timing.ns(over)]
    return any(
        state_of(step) == "executing" or timing.ns(step) > timing.ns(over) + _AFTERMATH_NS for step in after
    )


def _is_taken_up(draft: Draft, drafts: Sequence[Draft]) -> bool:
    """Whether the next turn came to its end: the caller was heard after all."""
    places = [place for place, one in enumerate(drafts) if one is draft]
    return bool(places) and any(one.ended for one in drafts[places[0] + 1 : places[0] + 2])
