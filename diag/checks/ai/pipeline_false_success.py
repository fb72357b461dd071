"""A turn was called a success, and the caller did not get what that promises.

What it tells
    Which turns ended with a line of success, and what was wrong with them all the same.

Why it matters
    "AI pipeline completed successfully" is where most reports stop. A turn is as good as its worst part,
    never as its last line.

How it decides
    A turn's end says that it went well, and one of these holds: nothing of the reply was delivered
    (``turn-no-reply``), the answer was an old one (``turn-stale-replay``), a stage gave a stand-in such as
    a test tone, all of the audio together has less than 1000 bytes, reply audio was thrown away, withheld
    or could not be written, or the transcript is one that a stub of the recogniser gives.

What can fool it
    It is as sure as the check that it rests on. Where that one could not decide, nothing is claimed here.
    An old answer that is only likely makes this suspected, and so does the set of a stub: a caller may say
    one of its sentences. Audio of which only the line of delivery is missing is suspected to be lost.

What to do
    Do not count such turns as answered; look at what is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diag.checks.base import LOGS, ORCHESTRATOR, Check, CheckContext, any_of, to_evidence
from diag.model.events import Event
from diag.model.findings import Confidence, Finding, Result, Scope, Severity
from diag.model.numbers import to_number
from diag.model.turns import Turn, TurnOutcome
from diag.normalise.redaction.pseudonyms import to_length

_SUCCESS = frozenset({"ok", "success", "successful", "succeeded", "delivered", "answered", "completed"})
_LEAST_AUDIO = 1_000
"""Bytes; what is smaller is the body of an error, not speech."""

_SIZES = ("audioSize", "audio_size", "bytes")
_CANNED = frozenset(
    to_length("said", text)
    for text in (
        "I heard something. Please continue speaking.",
        "Thank you for your message. I'm here to assist you with any questions or tasks you might have.",
        "I understand what you're saying. Please continue with your question or request.",
    )
)
"""What a stub of the recogniser "hears": no caller says just this."""


@dataclass(frozen=True, slots=True)
class _Flaw:
    """What is wrong with a turn that was called a success."""

    text: str
    sure: bool
    lines: tuple[Event, ...]


def _run(context: CheckContext) -> Iterator[Finding]:
    rests_on = frozenset(one.slug for one in context.outcomes if one.result is Result.FOUND)
    heard_all = context.sureness(ORCHESTRATOR) is Confidence.CONFIRMED
    found = [
        (turn, success, flaws)
        for turn in context.session.turns
        if (success := _find_success(turn)) is not None
        and (flaws := list(_find_flaws(turn, rests_on, heard_all=heard_all)))
    ]
    if found:
        yield _finding(context, found)


def _find_success(turn: Turn) -> Event | None:
    ends = (step for step in turn.steps if step.name == "turn.end")
    return next((end for end in ends if end.value("outcome").lower() in _SUCCESS), None)


def _find_flaws(turn: Turn, rests_on: frozenset[str], *, heard_all: bool) -> Iterator[_Flaw]:
    if turn.outcome is TurnOutcome.UNANSWERED and "turn-no-reply" in rests_on:
        certain = heard_all and turn.caller_left is None and turn.interruption is None
        yield _Flaw("nothing of the reply was delivered", certain, (turn.last_step,))
    if turn.replay is not None and "turn-stale-replay" in rests_on:
        yield _Flaw("the answer was an old one", turn.replay.proved, turn.replay.lines[:1])
    yield from _find_bad_audio(turn)
    yield from _find_lost_voice(turn)
    heard = turn.words.heard
    if heard is not None and heard.text in _CANNED:
        yield _Flaw("its transcript is one that a stub gives", False, (heard.event,))


def _find_bad_audio(turn: Turn) -> Iterator[_Flaw]:
    stand_in = turn.first("stage.stand_in")
    if stand_in is not None:
        yield _Flaw(f"the reply was {stand_in.value('what') or 'a stand-in'}", True, (stand_in,))
    sizes = [(step, size) for step in turn.steps if (size := _audio_bytes(step))]
    told: Counter[str] = Counter()
    for step, size in sizes:
        told[step.name] += size  # speech may be made, and sent, in small pieces
    most = max(told.values(), default=0)
    if 0 < most < _LEAST_AUDIO and stand_in is None:
        yield _Flaw(f"its audio has {most} bytes", True, (sizes[0][0],))


def _find_lost_voice(turn: Turn) -> Iterator[_Flaw]:
    lost = turn.voice_lost
    if lost is not None and turn.outcome is not TurnOutcome.UNANSWERED:
        # a message without its line of delivery: that line may be lost, or not written for audio here
        certain = lost.name != "bcast.call"
        told = "its audio did not reach the caller"
        yield _Flaw(told if certain else "no line shows that its audio reached the caller", certain, (lost,))


def _audio_bytes(step: Event) -> int:
    """The size of the speech that a line tells, 0 if it tells none."""
    made = step.value("stage", "service") == "tts" and (
        step.name == "stage.done" or (step.name == "stage" and step.value("state") == "complete")
    )
    text = step.entry.field(*_SIZES) if made or step.name == "reply.published" else ""
    return to_number(text) or 0


def _finding(context: CheckContext, found: list[tuple[Turn, Event, list[_Flaw]]]) -> Finding:
    session = context.session
    flaws = [flaw for _, _, own in found for flaw in own]
    lines = [line for _, success, own in found for line in (success, *_lines(own))]
    share = f"{len(found)} of {len(session.turns)} turns"
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED if any(flaw.sure for flaw in flaws) else Confidence.SUSPECTED,
        component=lines[0].entry.service or ORCHESTRATOR,
        title=f"{share} only called a success",
        summary=f"{share} ended with a line of success, and yet {_describe(flaws)}.",
        evidence=to_evidence(list({line.entry.order: line for line in lines}.values())),
        remedy="do not take the line for an answer; look at what was wrong with the turn",
        sessions=session.session_ids,
        subjects=tuple(sorted({line.entry.pod for line in lines if line.entry.pod})),
        began_ns=min(turn.start_ns for turn, _, _ in found) or None,
    )


def _lines(flaws: Iterable[_Flaw]) -> Iterator[Event]:
    return (line for flaw in flaws for line in flaw.lines)


def _describe(flaws: Iterable[_Flaw]) -> str:
    return ", ".join(dict.fromkeys(flaw.text for flaw in flaws))


CHECK = Check(
    slug="pipeline-false-success",
    title="a turn was only called a success",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(LOGS),
    run=_run,
)
