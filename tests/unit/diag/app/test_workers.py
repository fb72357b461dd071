"""Work in processes side by side, and the interrupt that comes in between."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from diag.app.many.workers import open_workers

DEADLINE_S = 60


def leave_mark(path: Path) -> str:
    path.touch()
    return path.name


@pytest.mark.parametrize("processes", [1, 2])
async def test_an_interrupt_comes_through_although_all_is_done(tmp_path: Path, processes: int) -> None:
    """With the next result, and not with whatever the caller waits for after the last one."""
    marks = [tmp_path / str(number) for number in range(3)]
    task = asyncio.current_task()
    assert task is not None
    with open_workers(processes) as workers:
        async with aclosing(workers.each(leave_mark, marks)) as results:
            assert await anext(results) == "0"
            if processes > 1:
                async with asyncio.timeout(DEADLINE_S):
                    while not all(mark.exists() for mark in marks):
                        await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await anext(results)
    task.uncancel()
