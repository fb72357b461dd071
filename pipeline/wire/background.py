"""The tasks that run as long as their process: kept referenced, watched, ended within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pipeline.wire.ending import TASKS_S


class Background:
    """The long-running tasks of one service."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `coroutine` until `stop`. It is expected never to end by itself."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        return task

    def alive(self) -> bool:
        """Whether every task still runs: one that has ended, ended by a fault of ours."""
        return not any(task.done() for task in self._tasks)

    async def stop(self) -> None:
        """End all tasks, at most `TASKS_S` long."""
        await end_tasks(self._tasks, TASKS_S)


async def end_tasks(tasks: set[asyncio.Task[None]], timeout_s: float) -> None:
    """Cancel `tasks` and wait for their ends, at most `timeout_s`; what they raise stays in them."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=timeout_s)
