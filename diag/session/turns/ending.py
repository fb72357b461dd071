"""With which event a session ended, and with which its caller left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diag.model.events import MEDIA, Event
from diag.model.instants import NS_PER_S

_MEDIA_ENDS = ("media.cleanup", "media.closed", "media.end")
MEDIA_GONE = (*_MEDIA_ENDS, "ice.lost")
TOGETHER_NS = 8 * NS_PER_S
"""A client that leaves closes media and socket; ICE takes five to seven seconds to notice."""

PROCESS_ENDS = ("proc.stop", "proc.exit", "proc.panic")
_WITH_PROCESS_NS = 3 * NS_PER_S
"""A process that is to stop ends what it has at once; who leaves later leaves of his own."""


def find_end(events: Sequence[Event]) -> Event | None:
    """What ended the session: the media's end where it had media, else the close of its last socket."""
    if _has_media(events):
        return next((event for event in reversed(events) if event.name in _MEDIA_ENDS), None)
    opened = sum(event.name == "ws.open" for event in events)
    closes = [event for event in events if event.name == "ws.close"]
    return closes[-1] if closes and len(closes) >= opened else None


def find_process_end(events: Iterable[Event], ends: Iterable[Event]) -> Event | None:
    """With what the process that had the session's media last took it along; None where it did not.

    Args:
        events: the session's own, in order.
        ends: of processes (`PROCESS_ENDS`), and their starts, which tell of an end that nobody wrote.
    """
    media = [event for event in events if event.side == MEDIA]
    pod = media[-1].entry.pod if media else ""
    gone = [event for event in media if event.name in MEDIA_GONE]
    begun_ns = max((event.time_ns for event in media if event.name.startswith("whip.")), default=0)
    for end in ends if pod else ():
        if end.entry.pod != pod or end.time_ns < begun_ns:
            continue
        if _took(end, gone) if gone else end.time_ns > media[-1].time_ns:
            return end
    return None


def _took(end: Event, gone: Iterable[Event]) -> bool:
    """Whether what is gone went with the end of its process."""
    return end.name in PROCESS_ENDS and any(
        one.entry.pod == end.entry.pod and 0 <= one.time_ns - end.time_ns <= _WITH_PROCESS_NS for one in gone
    )


def find_departures(events: Sequence[Event], process_ends: Sequence[Event] = ()) -> tuple[Event, ...]:
    """The events with which the caller was gone.

    A socket that closes while media goes on, or before another one opens, was cut: its caller waits. So
    does one whose media went with the end of its server's process.
    """
    cut = {id(one) for end in process_ends for one in events if one.name in MEDIA_GONE and _took(end, (one,))}
    gone = [event.time_ns for event in events if event.name in MEDIA_GONE and id(event) not in cut]
    opens = [event.time_ns for event in events if event.name == "ws.open"]
    has_media = _has_media(events)

    def left(event: Event) -> bool:
        if event.name in MEDIA_GONE:
            return id(event) not in cut
        if event.name != "ws.close":
            return False
        if has_media:
            return any(abs(time_ns - event.time_ns) <= TOGETHER_NS for time_ns in gone)
        return not any(time_ns > event.time_ns for time_ns in opens)

    return tuple(event for event in events if left(event))


def _has_media(events: Sequence[Event]) -> bool:
    return any(event.name.startswith(("whip.", "ice.")) for event in events)
