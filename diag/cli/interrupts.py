"""Ctrl-C: the first ends the reading, the second the process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from diag.errors import ExitCode

_T = TypeVar("_T")

_CLEAR_LINE, _SHOW_CURSOR = "\r\x1b[K", "\x1b[?25h"
"""The line has "^C" in it and how far the work is, which hides the cursor as long as it is told."""


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
        _show_cursor()
        try:
            leave()
        finally:
            os._exit(ExitCode.INTERRUPTED)

    def _interrupt(loop: asyncio.AbstractEventLoop, task: asyncio.Task[_T]) -> None:
        signal.signal(signal.SIGINT, _end)
        _say(said_at_once)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.getsignal(signal.SIGINT)
    try:
        return asyncio.run(start())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ending_at_once(said: str) -> Iterator[None]:
    """SIGINT ends the process, after one line: for work that keeps nothing and is done in threads.

    An exception would do where Python lets it through; raised while something is imported or freed it is
    lost, and the work goes on to its end.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        _say(said)
        _show_cursor()
        os._exit(ExitCode.INTERRUPTED)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _say(line: str) -> None:
    """At once, past the stream's buffer: the signal may have come in the middle of its use."""
    if line:
        _write(f"{_CLEAR_LINE if sys.stderr.isatty() else ''}{line}\n")


def _show_cursor() -> None:
    if sys.stderr.isatty():
        _write(_CLEAR_LINE + _SHOW_CURSOR)


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), text.encode())
