"""Ctrl-C that ends the process at once. Light: it is there before anything else is imported."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from diag.errors import ExitCode

NO_RESULT = "diag: interrupted; there is no result"

_CLEAR_LINE, _SHOW_CURSOR = "\r\x1b[K", "\x1b[?25h"
"""The line has "^C" in it and how far the work is, which hides the cursor as long as it is told."""


def end_at_once(said: str) -> None:
    """From now on SIGINT ends the process, after one line: for work that keeps nothing.

    An exception would do where Python lets it through; raised while something is imported or freed it is
    lost, and the work goes on to its end.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        say_at_once(said)
        show_cursor()
        os._exit(ExitCode.INTERRUPTED)

    signal.signal(signal.SIGINT, end)


def end_with(code: int) -> NoReturn:
    """End the process with this code, whatever SIGINT comes while it waits for its threads."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))
    sys.exit(code)


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
