"""Events of one time, put in the order in which the system works.

Cloud Logging sorts entries of one time by insert ID, and a logger that writes whole seconds gives
many of them one time. Some agents count their insert IDs up, then that order is the order of writing;
others draw them at random, then it is none. Which it is shows where the times differ. Where nothing
tells the order of two lines, the usual course of a call is assumed: nothing may be concluded from it.
Where it is proved that a pod's clock differs, its events stand where they were by the reference's clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from diag.model.clocks import Clocks
from diag.model.events import Event
from diag.session.events import is_listening

_FLOW = (
    "proc.start", "proc.listen", "whip.request", "whip.session", "ice.gather", "whip.established",
    "ice.state", "ice.connected", "media.track", "media.processing", "kafka.reader_start",
    "ws.open", "ws.greeting", "ws.bind", "pipeline.session", "pipeline.listen", "media.listen on",
    "speech.start", "kafka.consume", "audio.session", "kafka.buffer", "media.listen off", "speech.end",
    "media.publish", "turn.audio_data",
    "turn.trigger", "turn.start", "map.direct", "map.guessed", "map.self",
    "stt waiting", "stt executing", "stt complete", "stt done", "stt said", "stt reached",
    "llm waiting", "llm executing", "llm complete", "llm done", "llm said", "llm reached",
    "tts waiting", "tts executing", "tts complete", "tts done", "tts said", "tts reached",
    "reply.published", "reply.played", "turn.empty_transcript", "stage.error", "turn.end",
    "audio.session_end", "kafka.reader_error", "kafka.reader_stop", "media.end", "media.closed",
    "media.cleanup", "ws.close", "proc.stop", "proc.exit",
)  # fmt: skip
_RANKS = {name: rank for rank, name in enumerate(_FLOW)}

_STAGE_OF_MESSAGE = {"final_transcript": "stt", "llm_response_text": "llm", "ai_response": "llm"}
_LARGEST_TIE = 500
"""Lines of one time beyond which their order is left as it is: no logger writes so many at once."""

_AS_WRITTEN = Clocks()
_FEWEST_TO_TELL = 4
_BEGINNING = -1


def put_in_order(events: Sequence[Event], clocks: Clocks = _AS_WRITTEN) -> tuple[Event, ...]:
    """`events`, sorted by raw time already: by adjusted time, those of one time in the order of the work."""
    if clocks.adjusted:
        timed = [(clocks.adjust(event.entry) or event.time_ns, event) for event in events]
    else:
        timed = [(event.time_ns, event) for event in events]
    timed.sort(key=itemgetter(0))
    if len({time_ns for time_ns, _ in timed}) == len(timed):
        return tuple([event for _, event in timed])
    course = _Course(_find_counting_pods(events))
    for _, group in groupby(timed, key=itemgetter(0)):
        tied = [event for _, event in group]
        if 1 < len(tied) <= _LARGEST_TIE:
            course.order(tied)
        else:
            course.follow(tied)
    return tuple(course.ordered)


def _find_counting_pods(events: Iterable[Event]) -> frozenset[str]:
    """The pods whose insert IDs grow with time."""
    by_pod: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_pod[event.entry.pod].append(event)
    return frozenset(pod for pod, own in by_pod.items() if _counts_up(own))


def _counts_up(events: Sequence[Event]) -> bool:
    steps = [(one, two) for one, two in pairwise(events) if one.time_ns < two.time_ns]
    return len(steps) >= _FEWEST_TO_TELL - 1 and all(
        one.entry.insert_id < two.entry.insert_id for one, two in steps
    )


class _Course:
    """How far a call has come, and the events on its way."""

    def __init__(self, counting: frozenset[str]) -> None:
        self.ordered: list[Event] = []
        self._counting = counting
        self._reached = _BEGINNING

    def follow(self, events: Iterable[Event]) -> None:
        """Take `events` as they come."""
        for event in events:
            self.ordered.append(event)
            if event.name == "turn.end":
                self._reached = _BEGINNING
            elif not _is_about_anything(event):
                self._reached = _rank(event, self._reached)

    def order(self, tied: Iterable[Event]) -> None:
        """Take each the next in the course of a call among those that may come next."""
        pools: defaultdict[str, list[Event]] = defaultdict(list)
        for event in tied:
            pools[event.entry.pod].append(event)
        while pools:
            choice = [(pod, event) for pod, pool in pools.items() for event in self._may_come(pod, pool)]
            ranks = [_rank(event, self._reached) for _, event in choice]
            best = min(range(len(choice)), key=lambda i: (ranks[i] < self._reached, ranks[i]))
            pod, event = choice[best]
            pools[pod].remove(event)
            if not pools[pod]:
                del pools[pod]
            self.follow([event])

    def _may_come(self, pod: str, pool: list[Event]) -> list[Event]:
        """The next line of a pod; any of its lines where nothing tells their order."""
        # a line without an insert ID stands where its file has it
        return pool[:1] if pod in self._counting or not pool[0].entry.insert_id else pool


def _is_about_anything(event: Event) -> bool:
    """A message to the socket whose line does not say what it carried: any stage has such."""
    return event.name.startswith("bcast.") and not event.value("message_type", "type")


def _rank(event: Event, otherwise: int) -> int:
    """The event's place in the course of a call; `otherwise` for one that has none."""
    rank = _RANKS.get(event.name)
    return _RANKS.get(_place_of(event), otherwise) if rank is None else rank


def _place_of(event: Event) -> str:
    if event.name == "media.listen":
        return "media.listen on" if is_listening(event) else "media.listen off"
    if event.name == "stage":
        return f"{event.value('stage', 'service')} {event.value('state')}"
    if event.name == "stage.done":
        return f"{event.value('stage')} done"
    if event.name.startswith("bcast."):
        stage = _STAGE_OF_MESSAGE.get(event.value("message_type", "type"), "tts")
        return f"{stage} {'said' if event.name == 'bcast.call' else 'reached'}"
    return event.name
