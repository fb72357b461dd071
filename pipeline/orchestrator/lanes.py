"""Runs turns: those of one session one after the other, those of different sessions side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from pipeline.orchestrator.turn import Turn
from pipeline.wire.background import end_tasks

MOST_WAITING = 8

_END_TIMEOUT_S = 0.5

RunTurn = Callable[[Turn], Awaitable[None]]


class TurnLanes:
    """A lane for each session that has turns; it is gone once they are done."""

    def __init__(self, run_turn: RunTurn) -> None:
        self._run_turn = run_turn
        self._waiting: dict[str, deque[Turn]] = {}
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

    async def drain(self, timeout_s: float) -> None:
        """Let turns finish for `timeout_s`, then end them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        await end_tasks(self._tasks.copy(), _END_TIMEOUT_S)

    async def _run_lane(self, session_id: str) -> None:
        waiting = self._waiting[session_id]
        try:
            while waiting:
                await self._run_turn(waiting.popleft())
        finally:
            del self._waiting[session_id]
