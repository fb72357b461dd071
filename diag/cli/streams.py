"""The three standard streams, made fit to be used: any of them may be closed, full or of a poor encoding."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def prepare_streams() -> None:
    """Once, before anything is opened: a file must never get the number of a closed stream."""
    _fill(_STDIN, os.O_WRONLY, closed=sys.stdin is None)
    _fill(_STDOUT, os.O_RDONLY, closed=sys.stdout is None)
    _fill(_STDERR, os.O_WRONLY, closed=sys.stderr is None)
    if sys.stdout is None:
        sys.stdout = _reopen(_STDOUT)  # writing to it fails, and is reported like a full disk
    if sys.stderr is None:
        sys.stderr = _reopen(_STDERR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def silence(stream: TextIO) -> None:
    """Let go of what could not be written; else the interpreter tries once more when it ends."""
    with suppress(OSError):  # then there is nothing to be let go of
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fill(number: int, mode: int, *, closed: bool) -> None:
    """Put the null device, open the wrong way round, where a stream is closed: its use is still an error."""
    if closed:
        opened = os.open(os.devnull, mode)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _reopen(number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "replace")
