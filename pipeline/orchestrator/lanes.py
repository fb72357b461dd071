"""Runs turns: those of one session one after the other, those of different sessions side by side.

A turn can be taken off its lane, wherever it is: the next one begins then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.orchestrator.turn import Turn
from pipeline.wire.background import end_tasks

MOST_WAITING = 8

_END_TIMEOUT_S = 0.5

RunTurn = Callable[[Turn], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Running:
    turn: Turn
    task: asyncio.Future[None]


class TurnLanes:
    """A lane for each session that has turns; it is gone once they are done."""

    def __init__(self, run_turn: RunTurn) -> None:
        self._run_turn = run_turn
        self._waiting: dict[str, deque[Turn]] = {}
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, turn: Turn) -> bool:
        """Run `turn` after the session's earlier ones; False if too many are waiting already."""
        waiting = self._waiting.get(turn.session_id)
        if waiting is not None:
            if len(waiting) >= MOST_WAITING:
                return False
            waiting.append(turn)
            return True
        self._waiting[turn.session_id] = deque([turn])
        task = asyncio.create_task(self._run_lane(turn.session_id), name=f"turns {turn.session_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def interrupt(self, session_id: str, turn_id: str) -> bool:
        """Break a turn off; False if nothing of it was running or waiting any more."""
        running = self._running.get(session_id)
        if running is not None and running.turn.turn_id == turn_id:
            running.turn.interrupted.set()
        return self.take_off(session_id, turn_id)

    def take_off(self, session_id: str, turn_id: str) -> bool:
        """End a turn here, whoever is to lead it; False if nothing of it was running or waiting any more."""
        running = self._running.get(session_id)
        if running is not None and running.turn.turn_id == turn_id:
            return running.task.cancel()
        waiting = self._waiting.get(session_id, deque())
        late = [turn for turn in waiting if turn.turn_id == turn_id]
        for turn in late:
            waiting.remove(turn)
        return bool(late)

    async def drain(self, timeout_s: float) -> None:
        """Let turns finish, then end them: at most `timeout_s` in all."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, timeout_s - _END_TIMEOUT_S))
        await end_tasks(self._tasks.copy(), _END_TIMEOUT_S)

    async def _run_lane(self, session_id: str) -> None:
        waiting = self._waiting[session_id]
        try:
            while waiting:
                await self._run_one(session_id, waiting.popleft())
        finally:
            del self._waiting[session_id]

    async def _run_one(self, session_id: str, turn: Turn) -> None:
        """In a task of its own: its end by `interrupt` is not the lane's."""
        task = asyncio.ensure_future(self._run_turn(turn))
        self._running[session_id] = _Running(turn, task)
        try:
            await asyncio.wait({task})
        finally:
            del self._running[session_id]
            if not task.done():  # the lane itself is ended
                task.cancel()
                await asyncio.wait({task}, timeout=_END_TIMEOUT_S)
