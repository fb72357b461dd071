"""Which turns were begun and which ended, so that none is lost and none is spoken twice. Pure.

Records of audio-in are committed only when their turn has ended. After a crash they are read once
more, and so comes the same turn, under the same ID. The journal decides what to do with it: a turn
that was cut off is led once more, one that ended is not, and one that was cut off twice is given up,
since it may be what kills the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from enum import Enum, auto

from pipeline.orchestrator.memory import StoredTurn

MOST_ATTEMPTS = 2
MOST_TURNS = 2_000


class Admission(Enum):
    """What is to be done with a turn whose speech has been read."""

    NEW = auto()
    AGAIN = auto()
    RUNNING = auto()
    DONE = auto()
    GIVEN_UP = auto()


class TurnJournal:
    """The turns of this orchestrator, the last `MOST_TURNS` of them; `keep` is told of each change."""

    def __init__(self, keep: Callable[[StoredTurn], None], before: Iterable[StoredTurn] = ()) -> None:
        self._keep = keep
        self._turns: OrderedDict[str, StoredTurn] = OrderedDict((turn.turn_id, turn) for turn in before)
        self._running: set[str] = set()

    def admit(self, turn_id: str, session_id: str) -> Admission:
        """What is to be done with this turn; with `NEW` and `AGAIN` it counts as running from now on."""
        if turn_id in self._running:
            return Admission.RUNNING
        known = self._turns.get(turn_id)
        if known is not None and known.done:
            return Admission.DONE
        attempts = 0 if known is None else known.attempts
        if attempts >= MOST_ATTEMPTS:
            self._note(StoredTurn(turn_id, session_id, attempts, done=True))
            return Admission.GIVEN_UP
        self._running.add(turn_id)
        self._note(StoredTurn(turn_id, session_id, attempts + 1, done=False))
        return Admission.NEW if attempts == 0 else Admission.AGAIN

    def finish(self, turn_id: str) -> None:
        """The turn has ended, well or not."""
        self._running.discard(turn_id)
        known = self._turns.get(turn_id)
        if known is not None:
            self._note(StoredTurn(turn_id, known.session_id, known.attempts, done=True))

    def abandon(self, turn_id: str) -> None:
        """The turn was left in good order for another replica, or the next process: that is no crash."""
        known = self._turns.get(turn_id)
        if known is not None and turn_id in self._running:
            self._running.remove(turn_id)
            self._note(StoredTurn(turn_id, known.session_id, known.attempts - 1, done=False))

    def _note(self, turn: StoredTurn) -> None:
        self._turns[turn.turn_id] = turn
        self._turns.move_to_end(turn.turn_id)
        if len(self._turns) > MOST_TURNS:
            self._turns.popitem(last=False)
        self._keep(turn)
