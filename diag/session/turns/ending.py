"""With which event a session ended, and with which its caller left."""

from __future__ import annotations

from collections.abc import Sequence

from diag.model.events import Event
from diag.model.instants import NS_PER_S

_MEDIA_ENDS = ("media.cleanup", "media.closed", "media.end")
MEDIA_GONE = (*_MEDIA_ENDS, "ice.lost")
TOGETHER_NS = 8 * NS_PER_S
"""A client that leaves closes media and socket; ICE takes five to seven seconds to notice."""


def find_end(events: Sequence[Event]) -> Event | None:
    """What ended the session: the media's end where it had media, else the close of its last socket."""
    if _has_media(events):
        return next((event for event in reversed(events) if event.name in _MEDIA_ENDS), None)
    opened = sum(event.name == "ws.open" for event in events)
    closes = [event for event in events if event.name == "ws.close"]
    return closes[-1] if closes and len(closes) >= opened else None


def find_departures(events: Sequence[Event]) -> tuple[Event, ...]:
    """The events with which the caller was gone.

    A socket that closes while media goes on, or before another one opens, was cut: its caller waits.
    """
    gone = [event.time_ns for event in events if event.name in MEDIA_GONE]
    opens = [event.time_ns for event in events if event.name == "ws.open"]
    has_media = _has_media(events)

    def left(event: Event) -> bool:
        if event.name in MEDIA_GONE:
            return True
        if event.name != "ws.close":
            return False
        if has_media:
            return any(abs(time_ns - event.time_ns) <= TOGETHER_NS for time_ns in gone)
        return not any(time_ns > event.time_ns for time_ns in opens)

    return tuple(event for event in events if left(event))


def _has_media(events: Sequence[Event]) -> bool:
    return any(event.name.startswith(("whip.", "ice.")) for event in events)
