"""Which lines were certainly written before which others, on whatever clocks.

Each rule holds though lines were lost, requests repeated or records delivered twice: it joins two lines by
an identity (a turn's ID, an utterance's number, a record's offset), or by what precedes every line of a kind.
The time of a Kafka record is no anchor: whether its producer or the broker stamped it depends on the topic.
A line ``published`` is none either: it is written when the broker has answered, perhaps after the
consumer's line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from diag.model.events import MEDIA, Event
from diag.model.identifiers import is_lost
from diag.model.values import value
from diag.session.events import stage_of, state_of

_SET_UP = frozenset(
    {
        "whip.request", "whip.session", "whip.established", "ice.gather", "ice.candidate", "ice.state",
        "ice.connected", "media.track", "media.processing", "kafka.reader_start", "log",
    }
)  # fmt: skip
_BEGINNINGS = ("whip.session", "media.track")
_ENDS = frozenset({"ice.lost", "ice.failed", "media.end", "media.closed", "media.cleanup", "media.summary"})
_STAGES = ("stt", "llm", "tts")

_PAIRED = frozenset(
    {
        "kafka.consume",
        "turn.trigger",
        "speech.end",
        "media.publish",
        "ai.request",
        "ai.done",
        "stage",
        "reply.played",
    }
)
_MOST_PAIRED = 2_000
"""Lines of one session that are compared with one another: a long call has a tenth, an attack has more."""


@value
class Precedence:
    """`before` was written no later than `after`."""

    before: Event
    after: Event
    rule: str


def find_precedences(events: Iterable[Event]) -> tuple[Precedence, ...]:
    """Every pair that a rule gives between two pods; only lines with a time and a pod of their own count."""
    told = _Told(event for event in events if event.time_ns and event.entry.time_known and event.entry.pod)
    if len(told.named(*_PAIRED)) > _MOST_PAIRED:
        return ()
    rules: tuple[Callable[[_Told], Iterator[Precedence]], ...] = (
        _media_before_consumption,
        _speech_before_turn,
        _speech_before_record,
        _request_inside_stage,
        _stage_before_playing,
    )
    pairs = (pair for rule in rules for pair in rule(told))
    return tuple(pair for pair in pairs if pair.before.entry.pod != pair.after.entry.pod)


class _Told:
    """The lines that rules join: by what they mark, and by whose they are."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._by_name: defaultdict[str, list[Event]] = defaultdict(list)
        self._media: list[Event] = []
        for event in events:
            self._by_name[event.name].append(event)
            if event.side == MEDIA:
                self._media.append(event)

    def named(self, *names: str) -> list[Event]:
        """Those of these canonical names, name by name, each in order."""
        return [event for name in names for event in self._by_name.get(name, ())]

    @cached_property
    def by_turn(self) -> dict[str, list[Event]]:
        """Turn -> the lines of its work."""
        return _group(self.named("ai.request", "ai.done", "stage", "reply.played"), "turn")

    def media_of(self, session: str) -> list[Event]:
        """The media server's lines of one ID in order of time; none if they are of several pods."""
        return self._media_by_session.get(session, [])

    @cached_property
    def _media_by_session(self) -> dict[str, list[Event]]:
        found = _group(self._media, "session")
        for text, lines in found.items():
            several = len({event.entry.pod for event in lines}) > 1
            found[text] = [] if several else sorted(lines, key=lambda event: event.time_ns)
        return found


def _group(events: Iterable[Event], role: str) -> dict[str, list[Event]]:
    """ID in that role -> the lines that name it; lost IDs are none."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        for text in event.entry.ids_in(role):
            if not is_lost(text):
                found[text].append(event)
    return found


def _media_before_consumption(told: _Told) -> Iterator[Precedence]:
    """No audio of an ID is consumed before the first connection of that ID has a track."""
    rule = "a caller's audio is consumed after the media server has accepted it"
    for text, consumed in _group(told.named("kafka.consume"), "session").items():
        for beginning in _first_beginnings(told.media_of(text)):
            yield from (Precedence(beginning, one, rule) for one in consumed)


def _first_beginnings(media: Sequence[Event]) -> Iterator[Event]:
    """Those of the first connection: behind any other line there may have been an earlier one."""
    seen: set[str] = set()
    for event in media:
        if event.name not in _SET_UP:
            return
        if event.name in _BEGINNINGS and event.name not in seen:
            seen.add(event.name)
            yield event


def _speech_before_turn(told: _Told) -> Iterator[Precedence]:
    """Complete audio of an utterance is there only after its end."""
    rule = "an utterance ends before its turn is triggered"
    numbered = (one for one in told.named("turn.trigger") if one.entry.field("utterance"))
    for text, triggers in _group(numbered, "session").items():
        for end in _ends_of_speech(told.media_of(text)):
            number = end.entry.field("utterance")
            yield from (Precedence(end, t, rule) for t in triggers if t.entry.field("utterance") == number)


def _ends_of_speech(media: Sequence[Event]) -> Iterator[Event]:
    """Those of the first connection, each number once: another connection counts its utterances anew."""
    seen: set[str] = set()
    for event in media:
        if event.name in _ENDS:
            return
        number = event.entry.field("utterance")
        if event.name == "speech.end" and number and number not in seen:
            seen.add(number)
            yield event


def _speech_before_record(told: _Told) -> Iterator[Precedence]:
    """What is consumed at an offset was spoken before: its utterance had begun."""
    rule = "an utterance begins before its record, by topic, partition and offset, is consumed"
    consumed = [event for event in told.named("kafka.consume") if event.entry.field("offset")]
    begins: defaultdict[_Utterance, list[Event]] = defaultdict(list)
    for event in told.named("speech.start") if consumed else ():
        begins[_utterance_of(event)].append(event)
    for published in told.named("media.publish") if begins else ():
        begin = _begin_of(published, begins[_utterance_of(published)])
        if begin is not None:
            yield from (Precedence(begin, one, rule) for one in consumed if _is_within(one, published))


def _begin_of(published: Event, begins: Iterable[Event]) -> Event | None:
    """The last beginning of the utterance that was published; None where its line names no offsets."""
    earlier = (one for one in begins if one.time_ns <= published.time_ns)
    told = published.entry.field("first_offset")
    return max(earlier, key=lambda event: (event.time_ns, event.entry.ref), default=None) if told else None


_Utterance = tuple[str, tuple[str, ...], str]


def _utterance_of(event: Event) -> _Utterance:
    """What makes two lines of one utterance: the pod that heard it, its session and its number."""
    return event.entry.pod, event.entry.ids_in("session"), event.entry.field("utterance")


def _is_within(consumed: Event, published: Event) -> bool:
    if consumed.value("topic") != published.value("topic"):
        return False
    if consumed.entry.field("partition") != published.entry.field("partition"):
        return False
    offset, first, last = (
        consumed.entry.field("offset"),
        published.entry.field("first_offset"),
        published.entry.field("last_offset"),
    )
    return all(map(str.isdecimal, (offset, first, last))) and int(first) <= int(offset) <= int(last)


def _request_inside_stage(told: _Told) -> Iterator[Precedence]:
    """A service hears of a turn after its stage began, and has answered when it is complete."""
    for lines in told.by_turn.values():
        for stage in _STAGES:
            yield from _request_of_stage(lines, stage)


def _request_of_stage(lines: Sequence[Event], stage: str) -> Iterator[Precedence]:
    asked = [event for event in lines if event.name == "ai.request" and event.side == stage]
    done = [event for event in lines if event.name == "ai.done" and event.side == stage]
    begun, complete = _states(lines, stage, "executing"), _states(lines, stage, "complete")
    rule = f"the {stage} stage begins before its service is asked"
    if len(begun) == 1:
        yield from (Precedence(begun[0], one, rule) for one in (*asked, *done))
    # a request that was given up may still be answered, after the stage is complete: only a single one tells
    single = len(asked) == len(done) == len(complete) == 1 and asked[0].entry.pod == done[0].entry.pod
    if single and asked[0].time_ns <= done[0].time_ns:
        yield Precedence(done[0], complete[0], f"the {stage} service answers before the stage is complete")
        yield Precedence(asked[0], complete[0], f"the {stage} service is asked before the stage is complete")


def _states(lines: Iterable[Event], stage: str, state: str) -> list[Event]:
    return [e for e in lines if e.name == "stage" and stage_of(e) == stage and state_of(e) == state]


def _stage_before_playing(told: _Told) -> Iterator[Precedence]:
    """The reply to a turn is played after every stage of it."""
    rule = "a turn's speech is made before it is played"
    for lines in told.by_turn.values():
        stages = [event for stage in _STAGES for event in _states(lines, stage, "executing")]
        stages += [event for stage in _STAGES for event in _states(lines, stage, "complete")]
        played = [event for event in lines if event.name == "reply.played"]
        yield from (Precedence(one, end, rule) for one in stages for end in played)
