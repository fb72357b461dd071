"""Turns that the caller broke off by speaking: what says so, and what only makes it likely.

A line that says so is proof. Without one, speech that begins while the reply is on its way makes it likely,
if the turn's course then ends short of where the session's other turns come to. A turn of which nothing had
reached the caller stays unanswered, then: whoever asks again after a silence speaks over nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.turns import Interruption
from diag.session.assembly import TRIGGERS, Draft, state_of
from diag.session.timing import Timing

PATIENCE_NS = 10 * NS_PER_S
"""Who does something else after less did not wait for the reply; who waited longer got none."""

_INTERRUPTED = re.compile(
    r"interrupt|barg(?:e|ed|ing)[ _-]?in|supersed|(?:caller|user)[ _-](?:spoke|speech|speaks)"
)
"""How outcomes and reasons call it."""

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
    speech = [one for one in events if one.name == "speech.start" or one.name in TRIGGERS]
    said = next((step for step in draft.steps if _says_so(step, speech, timing)), None)
    if said is not None:
        return Interruption(said, proved=True)
    since = deliveries[0] if deliveries else draft.steps[0]
    own = {step.entry.order for step in draft.steps}
    over = next(
        (one for one in speech if timing.ns(one) > timing.ns(since) and not _is_own(one, draft, own)), None
    )
    if over is None or not _ends_short(draft, drafts) or _goes_on(draft, over, timing):
        return None
    waited_ns = timing.ns(over) - timing.ns(draft.steps[0])
    if not deliveries and (waited_ns > PATIENCE_NS or not _is_taken_up(draft, drafts)):
        return None
    return Interruption(over, proved=False)


def _says_so(step: Event, speech: Iterable[Event], timing: Timing) -> bool:
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
    return any(abs(timing.ns(step) - timing.ns(one)) <= _AT_ONCE_NS for one in speech)


def _is_own(event: Event, draft: Draft, own: set[int]) -> bool:
    """Whether it is the speech that the turn came of."""
    utterance = event.entry.field("utterance")
    return event.entry.order in own or bool(utterance and utterance == draft.utterance)


def _ends_short(draft: Draft, drafts: Iterable[Draft]) -> bool:
    """Whether it lacks its end and more, and other turns have them: one line of a whole turn may be lost."""
    whole = [one for one in drafts if one is not draft and one.ended]
    failed = any(step.name.endswith(("failed", "error", "withheld", "dropped")) for step in draft.steps)
    if draft.ended or failed or not whole:
        return False
    return any(draft.stages.values()) or any(_marks(one) - _marks(draft) for one in whole)


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
