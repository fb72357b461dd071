"""Where each session's caller is: at a socket of this replica, at another replica, or away. Pure.

The bindings know which socket of this process a session has. This knows the rest: which replica a
session is bound at when it is not here, and that a caller whose connection broke, or whose
orchestrator was restarted, will most likely be back in a moment. A session that is none of these is
nowhere: what is meant for it is addressed to nobody, never to the socket that happens to fit best.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

# A caller that has been away for longer has hung up.
AWAY_S = 60.0
MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Here:
    """Bound to a connection of this replica."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class There:
    """Bound at another replica."""

    replica: str


@dataclass(frozen=True, slots=True)
class Away:
    """Its connection broke, at this time of a clock that only goes forward."""

    since_s: float


Whereabout = Here | There | Away


class Whereabouts:
    """The last known place of each session; it is the last binding that counts."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Whereabout] = OrderedDict()

    def note(self, session_id: str, place: Whereabout) -> None:
        """The caller of a session is at `place` now."""
        self._places[session_id] = place
        self._places.move_to_end(session_id)
        if len(self._places) > MOST_SESSIONS:
            self._places.popitem(last=False)

    def find(self, session_id: str) -> Whereabout | None:
        """Where the caller is; None for a session that was never bound, or is over."""
        return self._places.get(session_id)

    def lose(self, session_id: str, place: Here | There, now_s: float) -> bool:
        """The connection at `place` broke; False if the caller has moved on from there already."""
        if self._places.get(session_id) != place:
            return False
        self._places[session_id] = Away(now_s)
        return True

    def end(self, session_id: str, place: Here | There) -> bool:
        """The caller has hung up at `place`; False if the caller has moved on from there already."""
        if self._places.get(session_id) != place:
            return False
        del self._places[session_id]
        return True

    def expire(self, now_s: float) -> list[str]:
        """Forget the sessions whose callers do not come back; which these are."""
        gone = [
            session_id
            for session_id, place in self._places.items()
            if isinstance(place, Away) and now_s - place.since_s > AWAY_S
        ]
        for session_id in gone:
            del self._places[session_id]
        return gone

    def __len__(self) -> int:
        return len(self._places)
