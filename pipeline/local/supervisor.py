"""One stack in the foreground of one process: started, used, and ended by whatever ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from pipeline.local.stack import Stack

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


def supervise(stack: Stack, use: Callable[[Stack], Awaitable[int]]) -> int:
    """Start `stack`, do what `use` does with it, stop it; the exit code of the process.

    Ctrl-C, SIGTERM or a closed terminal end it in order, at any point; a second one at once. Raises
    `StackError` where the stack cannot start or a part of it ends.
    """
    return asyncio.run(_supervise(stack, use))


async def keep(_stack: Stack) -> int:
    """Nothing is done with the stack: it is there until somebody ends it."""
    for_ever: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    return await for_ever


async def _supervise(stack: Stack, use: Callable[[Stack], Awaitable[int]]) -> int:
    task = asyncio.create_task(_run(stack, use))
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:
            stack.kill()
        else:
            interrupted = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _run(stack: Stack, use: Callable[[Stack], Awaitable[int]]) -> int:
    """Use the stack as long as all its parts live."""
    async with stack:
        using = asyncio.ensure_future(use(stack))
        watching = asyncio.create_task(stack.watch())
        try:
            await asyncio.wait((using, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (using, watching):
                task.cancel()
            await asyncio.gather(using, watching, return_exceptions=True)
        if not watching.cancelled():
            watching.result()  # a part has ended: that is why what failed has failed
        return using.result()
