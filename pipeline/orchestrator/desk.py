"""Takes turns in, each to be led once: new ones, and those that a crash or a move has cut off.

The speech of a turn stays uncommitted in audio-in until the turn has ended. So a turn that was in
flight when a process was killed is read once more, by its successor or by another replica, under the
same ID; the journal tells whether it is led again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from pipeline.orchestrator.failures import CUT_OFF_TWICE, Failure
from pipeline.orchestrator.journal import Admission, TurnJournal
from pipeline.orchestrator.lanes import TurnLanes
from pipeline.orchestrator.turn import Turn
from pipeline.wire.log_lines import Log
from pipeline.wire.progress import Progress

# What is left of a turn that moves to another replica is led there.
HAND_OVER_S = 6.0

RunTurn = Callable[[Turn], Awaitable[None]]
TellFailure = Callable[[Turn, Failure], Awaitable[None]]


class TurnDesk:
    """Between the intake, which finds turns in audio-in, and the lanes, which run them."""

    def __init__(
        self, run_turn: RunTurn, tell_failure: TellFailure, journal: TurnJournal, progress: Progress, log: Log
    ) -> None:
        self._run_turn = run_turn
        self._tell_failure = tell_failure
        self._journal = journal
        self._progress = progress
        self._log = log
        self._open: dict[str, Turn] = {}
        self._given_up: set[str] = set()
        self._changed = asyncio.Event()
        self.lanes = TurnLanes(self._run)

    def submit(self, turn: Turn) -> bool:
        """Have `turn` led, unless it was before; False if too many are waiting already."""
        log = turn.correlation.bind(self._log)
        match self._journal.admit(turn.turn_id, turn.session_id):
            case Admission.RUNNING:
                return True
            case Admission.DONE:
                log.write("turn-known")
                self._progress.release(turn.utterance.origin)
                return True
            case Admission.GIVEN_UP:
                log.write("turn-given-up", reason=CUT_OFF_TWICE.reason)
                self._given_up.add(turn.turn_id)
            case Admission.AGAIN:
                log.write("turn-again")
        self._open[turn.turn_id] = turn
        if self.lanes.submit(turn):
            return True
        self.drop(turn)
        return False

    def drop(self, turn: Turn) -> None:
        """`turn` is not led, or no further: that is its end."""
        self._open.pop(turn.turn_id, None)
        self._given_up.discard(turn.turn_id)
        self._journal.finish(turn.turn_id)
        self._progress.release(turn.utterance.origin)
        self._wake()

    def interrupt(self, session_id: str, turn_id: str) -> bool:
        """The caller has spoken over this turn; False if nothing of it was running or waiting any more."""
        interrupted = self.lanes.interrupt(session_id, turn_id)
        turn = self._open.get(turn_id)
        if interrupted and turn is not None:
            self.drop(turn)  # its task may never have come to its first step
        return interrupted

    async def hand_over(self, partitions: Iterable[int]) -> None:
        """Let the turns of these partitions finish for a while; others lead the rest."""
        gone = frozenset(partitions)
        with suppress(TimeoutError):
            async with asyncio.timeout(HAND_OVER_S):
                while self._find_open(gone):
                    await self._changed.wait()
        for turn in self._find_open(gone):
            self.lanes.take_off(turn.session_id, turn.turn_id)
            self._leave(turn)

    async def drain(self, timeout_s: float) -> None:
        """Let turns finish for `timeout_s`; the next process leads the rest, those that never began, too."""
        try:
            await self.lanes.drain(timeout_s)
        finally:
            for turn in list(self._open.values()):
                self._leave(turn)

    def _find_open(self, partitions: frozenset[int]) -> list[Turn]:
        return [turn for turn in self._open.values() if turn.utterance.origin.partition in partitions]

    async def _run(self, turn: Turn) -> None:
        try:
            if turn.turn_id in self._given_up:
                await self._tell_failure(turn, CUT_OFF_TWICE)
            else:
                await self._run_turn(turn)
        except asyncio.CancelledError:
            if not turn.interrupted.is_set():
                self._leave(turn)
            raise
        except Exception:  # a fault of ours; the turn would be led again, and fail again
            self.drop(turn)
            raise
        self.drop(turn)

    def _leave(self, turn: Turn) -> None:
        """Whoever reads its speech next leads `turn`; that was no crash."""
        self._open.pop(turn.turn_id, None)
        self._journal.abandon(turn.turn_id)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
