"""Ctrl-C: the first ends the reading, the second the process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

from diag.cli.ending import say_at_once, show_cursor
from diag.errors import ExitCode

_T = TypeVar("_T")


def run_until_interrupted(
    work: Coroutine[Any, Any, _T], said_at_once: str = "", leave: Callable[[], None] = lambda: None
) -> _T:
    """What `work` makes of its reading, which SIGINT cancels; raises `KeyboardInterrupt` if nothing.

    `said_at_once` is a line for the first signal. With the second the process ends, after `leave`.

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

    def _end(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.INTERRUPTED))
        show_cursor()
        try:
            leave()
        finally:
            os._exit(ExitCode.INTERRUPTED)

    def _interrupt(loop: asyncio.AbstractEventLoop, task: asyncio.Task[_T]) -> None:
        signal.signal(signal.SIGINT, _end)
        say_at_once(said_at_once)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.getsignal(signal.SIGINT)
    try:
        return asyncio.run(start())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
