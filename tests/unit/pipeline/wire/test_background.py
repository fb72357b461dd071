"""Long-running tasks: watched while they run, ended within a bound."""

from __future__ import annotations

import asyncio

from pipeline.wire.background import Background, end_tasks


async def _forever() -> None:
    await asyncio.Event().wait()


async def _fail() -> None:
    await asyncio.sleep(0)
    raise RuntimeError


async def test_tasks_live_until_they_are_stopped() -> None:
    """Stopping ends all of them."""
    background = Background()
    tasks = [background.start(_forever(), f"task {n}") for n in range(2)]
    await asyncio.sleep(0)

    assert background.alive()
    await background.stop()
    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_died_is_noticed() -> None:
    """The process is not healthy any more, and the error is still there to be looked at."""
    background = Background()
    task = background.start(_fail(), "fails")
    await asyncio.wait({task})

    assert not background.alive()
    assert isinstance(task.exception(), RuntimeError)


async def test_a_task_that_does_not_end_is_not_waited_for() -> None:
    """The bound holds whatever a task does with its cancellation."""
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await end_tasks({task}, 0.01)

    assert not task.done()
    release.set()
    await task
