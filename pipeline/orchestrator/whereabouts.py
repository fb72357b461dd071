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
# Replicas tell again and again whom they have. One that has not for so long ended without a word.
SILENT_S = 1_800.0
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
        self._heard_s: dict[str, float] = {}

    def note(self, session_id: str, place: Whereabout, now_s: float) -> None:
        """The caller of a session is at `place` now; where there are too many, one elsewhere is forgotten."""
        self._places[session_id] = place
        self._places.move_to_end(session_id)
        self._heard_s[session_id] = now_s
        if len(self._places) > MOST_SESSIONS:
            elsewhere = (one for one, its in self._places.items() if not isinstance(its, Here))
            self._forget(next(elsewhere, session_id))

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
        self._forget(session_id)
        return True

    def expire(self, now_s: float) -> list[str]:
        """Forget the sessions whose callers do not come back, or of which nobody tells; which these are."""
        gone = [one for one, place in self._places.items() if self._is_gone(one, place, now_s)]
        for session_id in gone:
            self._forget(session_id)
        return gone

    def _is_gone(self, session_id: str, place: Whereabout, now_s: float) -> bool:
        if isinstance(place, Away):
            return now_s - place.since_s > AWAY_S
        return isinstance(place, There) and now_s - self._heard_s[session_id] > SILENT_S

    def _forget(self, session_id: str) -> None:
        del self._places[session_id]
        del self._heard_s[session_id]

    def __len__(self) -> int:
        return len(self._places)
