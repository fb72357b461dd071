"""Old answers to new words: what the TTS got is not what this turn's LLM gave, or the LLM got old words.

In the reference system a new pipeline session replaces the place where transcript and reply are kept, while
the dialogue that runs goes on reading the old one: it answers the first words again and again.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from diag.model.events import Event
from diag.model.turns import Replay, Saying, Turn, TurnOutcome

_SAME_BUT_SPACES = 4
"""Texts that differ by so few characters may differ in white space alone, which pseudonyms do not show."""

_LEAST_TELLING = 25
"""Characters; "Sorry, please say it again" comes as an answer to many words."""

_MOST_COMPARED = 200
"""Earlier turns with the same text that are looked at: whoever says the same more often replays nothing."""

_OWN_KEYS = ("llm_cleaned", "tts_input")
"""Where a service writes both, they are one text by construction; others speak a reply in pieces."""


def mark_replays(turns: Sequence[Turn], events: Iterable[Event]) -> tuple[Turn, ...]:
    """The turns, in order, each with what it replays."""
    earlier = _Earlier(event for event in events if event.name == "pipeline.session")
    marked: list[Turn] = []
    changes = _changes_replies(turns)
    for turn in turns:
        found = _find_replay(turn, earlier)
        if found is None and not changes and not earlier.heard_same(turn):
            found = earlier.weigh(_find_foreign_reply(turn), turn)
        marked.append(turn if found is None else _mark(turn, found))
        earlier.add(marked[-1])
    return tuple(marked)


def _mark(turn: Turn, found: Replay) -> Turn:
    replayed = found.proved and turn.outcome is TurnOutcome.ANSWERED
    return replace(turn, replay=found, outcome=TurnOutcome.REPLAYED if replayed else turn.outcome)


def _changes_replies(turns: Iterable[Turn]) -> bool:
    """Whether each reply is changed before it is spoken, as by markup put around it.

    Then no text is spoken twice, and none is the reply of any turn, as an old answer would be.
    """
    told = [turn.words for turn in turns if _tells_both(turn)]
    spoken = {words.spoken.text for words in told if words.spoken}
    replies = {words.answered.text for words in told if words.answered}
    return len(told) > 1 and len(spoken) == len(told) and spoken.isdisjoint(replies)


def _tells_both(turn: Turn) -> bool:
    """Whether a service writes both the reply and what is spoken, as one that speaks replies whole."""
    texts = (turn.words.answered, turn.words.spoken)
    return all(one is not None and _stands_under(one, key) for one, key in zip(texts, _OWN_KEYS, strict=True))


class _Earlier:
    """The turns before one, by what was said in them, and when the pipeline's session was created anew."""

    def __init__(self, renewals: Iterable[Event]) -> None:
        self._renewals = sorted(renewals, key=_written_ns)
        self._heard: defaultdict[str, list[Turn]] = defaultdict(list)
        self._replied: defaultdict[str, list[Turn]] = defaultdict(list)
        self._ends_ns: dict[bool, float] = {}

    def add(self, turn: Turn) -> None:
        """Take a turn that is behind."""
        if turn.words.heard is not None:
            self._heard[turn.words.heard.text].append(turn)
        for text in {one.text for one in _replies(turn)}:
            self._replied[text].append(turn)
        named, end_ns = bool(turn.turn_id), math.inf if turn.end is None else turn.end.ns
        self._ends_ns[named] = max(self._ends_ns.get(named, end_ns), end_ns)

    def _ran_beside(self, turn: Turn) -> bool:
        """Whether one still ran when `turn` began, and no IDs tell their lines apart."""
        kinds = (False,) if turn.turn_id else (False, True)
        return any(self._ends_ns.get(named, -math.inf) > turn.start.ns for named in kinds)

    def weigh(self, found: Replay | None, turn: Turn) -> Replay | None:
        """What was found, and no proof where turns ran at once: nobody knows whose line was whose."""
        if found is None or not self._ran_beside(turn):
            return found
        return replace(found, proved=False)

    def heard_same(self, turn: Turn) -> bool:
        """Whether the words of `turn` were heard before."""
        return turn.words.heard is not None and turn.words.heard.text in self._heard

    def that_heard(self, asked: Saying, turn: Turn) -> Iterator[Turn]:
        """Those in which just this was heard, and not what `turn` heard, the latest first."""
        return _latest_of_other_words(self._heard.get(asked.text, ()), turn)

    def that_replied(self, reply: Saying, turn: Turn) -> Iterator[Turn]:
        """Those that gave just this reply to other words than those of `turn`, the latest first."""
        return _latest_of_other_words(self._replied.get(reply.text, ()), turn)

    def renewed_between(self, other: Turn, turn: Turn) -> Event | None:
        """The first line of a renewal after the earlier turn had begun and before `turn` did."""
        place = bisect_right(self._renewals, _written_ns(other.trigger), key=_written_ns)
        first = next(iter(self._renewals[place : place + 1]), None)
        return None if first is None or _written_ns(first) > _written_ns(turn.trigger) else first


def _written_ns(event: Event) -> int:
    return event.time_ns


def _latest_of_other_words(turns: Sequence[Turn], turn: Turn) -> Iterator[Turn]:
    latest = islice(reversed(turns), _MOST_COMPARED)
    return (other for other in latest if not _same(turn.words.heard, other.words.heard))


def _find_replay(turn: Turn, earlier: _Earlier) -> Replay | None:
    """Whose answer the turn got, if not its own; the latest of earlier turns that fits."""
    rules = (_find_old_reply, _find_old_question, _find_same_answer)
    found = next((one for rule in rules if (one := rule(turn, earlier)) is not None), None)
    return earlier.weigh(found, turn)


def _find_old_reply(turn: Turn, earlier: _Earlier) -> Replay | None:
    """The TTS got the reply of an earlier turn, not this one's."""
    spoken, own = turn.words.spoken, turn.words.answered
    if spoken is None or own is None or _same(spoken, own):
        return None
    other = next(earlier.that_replied(spoken, turn), None)
    if other is None:
        return None
    how = "the text sent to the TTS is an earlier turn's reply, not this one's"
    old, renewed = _reply_of(other, spoken), earlier.renewed_between(other, turn)
    return Replay(other.start_ns, _lines(spoken.event, own.event, old, renewed), proved=True, how=how)


def _find_old_question(turn: Turn, earlier: _Earlier) -> Replay | None:
    """The LLM got the transcript of an earlier turn."""
    asked, heard = turn.words.asked, turn.words.heard
    if asked is None or heard is None or _same(asked, heard):
        return None
    other = next(earlier.that_heard(asked, turn), None)
    if other is None or other.words.heard is None:
        return None
    how = "the text sent to the LLM is an earlier turn's transcript, not this one's"
    old, renewed = other.words.heard.event, earlier.renewed_between(other, turn)
    return Replay(other.start_ns, _lines(asked.event, heard.event, old, renewed), proved=True, how=how)


def _find_same_answer(turn: Turn, earlier: _Earlier) -> Replay | None:
    """One long reply to two transcripts, and where it is kept was renewed meanwhile: likely, no more."""
    heard, own = turn.words.heard, turn.words.answered
    if heard is None or own is None or own.length < _LEAST_TELLING:
        return None
    for other in earlier.that_replied(own, turn):
        renewed = earlier.renewed_between(other, turn)
        if renewed is not None and other.words.heard is not None:
            how = "other words got the same reply, after the pipeline's session had been created anew"
            lines = _lines(own.event, heard.event, _reply_of(other, own), renewed)
            return Replay(other.start_ns, lines, proved=False, how=how)
    return None


def _find_foreign_reply(turn: Turn) -> Replay | None:
    """The TTS got a text that is no reply of any turn that was read."""
    spoken, own = turn.words.spoken, turn.words.answered
    if spoken is None or own is None or _same(spoken, own):
        return None
    if not _tells_both(turn):
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


def _reply_of(other: Turn, reply: Saying) -> Event | None:
    """The line of an earlier turn with this very text."""
    return next((one.event for one in _replies(other) if _same(one, reply)), None)


def _lines(*found: Event | None) -> tuple[Event, ...]:
    """Each line once: it may carry two texts."""
    return tuple({event.entry.order: event for event in found if event is not None}.values())
