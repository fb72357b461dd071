"""Ctrl-C that ends the process at once. Light: it is there before anything else is imported."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from diag.errors import ExitCode

NO_RESULT = "diag: interrupted; there is no result"

_CLEAR_LINE, _SHOW_CURSOR = "\r\x1b[K", "\x1b[?25h"
"""The line has "^C" in it and how far the work is, which hides the cursor as long as it is told."""


@contextmanager
def ending_at_once(said: str) -> Iterator[None]:
    """SIGINT ends the process, after one line: for work that keeps nothing and is done in threads.

    An exception would do where Python lets it through; raised while something is imported or freed it is
    lost, and the work goes on to its end.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        say_at_once(said)
        show_cursor()
        os._exit(ExitCode.INTERRUPTED)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def say_at_once(line: str) -> None:
    """Past the stream's buffer: the signal may have come in the middle of its use."""
    if line:
        _write(f"{_CLEAR_LINE if sys.stderr.isatty() else ''}{line}\n")


def show_cursor() -> None:
    """A terminal's cursor, which the progress hides."""
    if sys.stderr.isatty():
        _write(_CLEAR_LINE + _SHOW_CURSOR)


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), text.encode())
