"""Old answers to new words: what the TTS got is not what this turn's LLM gave, or the LLM got old words.

In the reference system a new pipeline session replaces the place where transcript and reply are kept, while
the dialogue that runs goes on reading the old one: it answers the first words again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from diag.model.events import Event
from diag.model.turns import Replay, Saying, Turn, TurnOutcome

_SAME_BUT_SPACES = 4
"""Texts that differ by so few characters may differ in white space alone, which pseudonyms do not show."""

_LEAST_TELLING = 25
"""Characters; "Sorry, please say it again" comes as an answer to many words."""

_OWN_KEYS = ("llm_cleaned", "tts_input")
"""Where a service writes both, they are one text by construction; others speak a reply in pieces."""


def mark_replays(turns: Sequence[Turn], events: Iterable[Event]) -> tuple[Turn, ...]:
    """The turns, in order, each with what it replays."""
    renewals = [event for event in events if event.name == "pipeline.session"]
    marked: list[Turn] = []
    for turn in turns:
        found = find_replay(turn, marked, renewals)
        marked.append(turn if found is None else _mark(turn, found))
    return tuple(marked)


def _mark(turn: Turn, found: Replay) -> Turn:
    replayed = found.proved and turn.outcome is TurnOutcome.ANSWERED
    return replace(turn, replay=found, outcome=TurnOutcome.REPLAYED if replayed else turn.outcome)


def find_replay(turn: Turn, earlier: Sequence[Turn], renewals: Sequence[Event]) -> Replay | None:
    """Whose answer the turn got, if not its own; the latest of earlier turns that fits."""
    clear = not any(_interleave(turn, other) for other in earlier)
    rules = (_find_old_reply, _find_old_question, _find_same_answer)
    others = [other for other in reversed(earlier) if not _same(turn.words.heard, other.words.heard)]
    found = next((r for rule in rules for other in others if (r := rule(turn, other, renewals))), None)
    if found is None and len(others) == len(earlier):
        found = _find_foreign_reply(turn)
    return None if found is None else replace(found, proved=found.proved and clear)


def _interleave(turn: Turn, other: Turn) -> bool:
    """Whether two turns without IDs ran at once: then nobody knows whose line was whose."""
    return not (turn.turn_id and other.turn_id) and (other.end is None or other.end.ns > turn.start.ns)


def _find_old_reply(turn: Turn, other: Turn, renewals: Sequence[Event]) -> Replay | None:
    """The TTS got the reply of an earlier turn, not this one's."""
    spoken, own = turn.words.spoken, turn.words.answered
    old = next((one for one in _replies(other) if _same(one, spoken)), None)
    if spoken is None or own is None or old is None or _same(spoken, own):
        return None
    how = "the text sent to the TTS is an earlier turn's reply, not this one's"
    renewed = list(_between(renewals, other, turn))[:1]
    return Replay(other.start_ns, _lines(spoken.event, own.event, old.event, *renewed), proved=True, how=how)


def _find_old_question(turn: Turn, other: Turn, renewals: Sequence[Event]) -> Replay | None:
    """The LLM got the transcript of an earlier turn."""
    asked, heard, old = turn.words.asked, turn.words.heard, other.words.heard
    if asked is None or heard is None or old is None or not _same(asked, old) or _same(asked, heard):
        return None
    how = "the text sent to the LLM is an earlier turn's transcript, not this one's"
    renewed = list(_between(renewals, other, turn))[:1]
    return Replay(other.start_ns, _lines(asked.event, heard.event, old.event, *renewed), proved=True, how=how)


def _find_same_answer(turn: Turn, other: Turn, renewals: Sequence[Event]) -> Replay | None:
    """One long reply to two transcripts, and where it is kept was renewed meanwhile: likely, no more."""
    heard, own = turn.words.heard, turn.words.answered
    old = next((one for one in _replies(other) if _same(one, own)), None)
    renewed = list(_between(renewals, other, turn))
    if heard is None or own is None or old is None or other.words.heard is None:
        return None
    if own.length < _LEAST_TELLING or not renewed:
        return None
    how = "other words got the same reply, after the pipeline's session had been created anew"
    lines = _lines(own.event, heard.event, old.event, renewed[0])
    return Replay(other.start_ns, lines, proved=False, how=how)


def _find_foreign_reply(turn: Turn) -> Replay | None:
    """The TTS got a text that is no reply of any turn that was read."""
    spoken, own = turn.words.spoken, turn.words.answered
    if spoken is None or own is None or _same(spoken, own):
        return None
    if not all(_stands_under(one, key) for one, key in zip((own, spoken), _OWN_KEYS, strict=True)):
        return None
    if 0 < abs(spoken.length - own.length) <= _SAME_BUT_SPACES:
        return None
    how = "the text sent to the TTS is not this turn's reply"
    return Replay(None, (spoken.event, own.event), proved=True, how=how)


def _stands_under(saying: Saying, key: str) -> bool:
    return saying.event.entry.fields.get(key) == saying.text


def _replies(turn: Turn) -> Iterator[Saying]:
    yield from (one for one in (turn.words.answered, turn.words.spoken) if one is not None)


def _same(one: Saying | None, other: Saying | None) -> bool:
    return one is not None and other is not None and one.text == other.text


def _between(renewals: Iterable[Event], other: Turn, turn: Turn) -> Iterator[Event]:
    """Those after the earlier turn had begun and before this one did."""
    first, last = other.trigger.entry.time_ns or 0, turn.trigger.entry.time_ns or 0
    return (event for event in renewals if first < event.time_ns <= last)


def _lines(*found: Event) -> tuple[Event, ...]:
    """Each line once: it may carry two texts."""
    return tuple({event.entry.order: event for event in found}.values())
