"""Ctrl-C: the first ends the reading, the second the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

from diag.errors import ExitCode

_T = TypeVar("_T")


def run_until_interrupted(work: Coroutine[Any, Any, _T]) -> _T:
    """What `work` makes of its reading, which SIGINT cancels; raises `KeyboardInterrupt` if nothing.

    The loop's own handler would cancel the work once more on the second signal, and then wait for it.
    """

    async def start() -> _T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101  inside a coroutine that runs there is one
        # The loop's registration wakes it even if the signal comes just before it goes to sleep, where a
        # handler alone would wait for the next event; the handler acts even while the loop is busy.
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        signal.signal(signal.SIGINT, lambda *_: _interrupt(loop, task))
        return await work

    def _interrupt(loop: asyncio.AbstractEventLoop, task: asyncio.Task[_T]) -> None:
        signal.signal(signal.SIGINT, _end)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.getsignal(signal.SIGINT)
    try:
        return asyncio.run(start())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(ExitCode.INTERRUPTED)
