"""Events of one time, put in the order in which the system works.

Cloud Logging sorts entries of one time by insert ID, and a logger that writes whole seconds gives
many of them one time. Some agents count their insert IDs up, then that order is the order of writing;
others draw them at random, then it is none. Which it is shows where the times differ. Where nothing
tells the order of two lines, the usual course of a call is assumed: nothing may be concluded from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from diag.model.session import Event
from diag.session.events import is_listening

_FLOW = (
    "proc.start", "proc.listen", "whip.request", "whip.session", "ice.gather", "whip.established",
    "ice.state", "ice.connected", "media.track", "kafka.reader_start", "ws.open", "ws.greeting", "ws.bind",
    "pipeline.session", "pipeline.listen", "media.listen on", "speech.start", "kafka.consume",
    "audio.session", "kafka.buffer", "media.listen off", "speech.end", "media.publish", "turn.audio_data",
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

_FEWEST_TO_TELL = 4


def put_in_order(events: Sequence[Event]) -> tuple[Event, ...]:
    """`events`, sorted by time already, with those of one time in the order of the work."""
    counted = _find_counting_pods(events)
    ordered: list[Event] = []
    for _, group in groupby(events, key=lambda event: event.time_ns):
        tied = list(group)
        if 1 < len(tied) <= _LARGEST_TIE:
            tied = list(_order(tied, counted, ordered[-1] if ordered else None))
        ordered += tied
    return tuple(ordered)


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


def _order(tied: list[Event], counted: frozenset[str], before: Event | None) -> Iterator[Event]:
    """One after the other, each the next in the course of a call among those that may come next."""
    pools: defaultdict[str, list[Event]] = defaultdict(list)
    for event in tied:
        pools[event.entry.pod].append(event)
    reached = -1 if before is None else _rank(before, -1)
    while pools:
        choice = [
            (pod, event)
            for pod, pool in pools.items()
            # a line without an insert ID stands where its file has it
            for event in (pool[:1] if pod in counted or not pool[0].entry.insert_id else pool)
        ]
        ranks = [_rank(event, reached) for _, event in choice]
        best = min(range(len(choice)), key=lambda i: (ranks[i] < reached, ranks[i]))
        pod, event = choice[best]
        reached = -1 if event.name == "turn.end" else ranks[best]
        pools[pod].remove(event)
        if not pools[pod]:
            del pools[pod]
        yield event


def _rank(event: Event, otherwise: int) -> int:
    """The event's place in the course of a call; `otherwise` for one that has none."""
    return _RANKS.get(_place_of(event), otherwise)


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
