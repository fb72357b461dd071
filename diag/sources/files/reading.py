"""One file, read in a thread that may be left behind: a pipe that nobody fills holds up nothing."""

from __future__ import annotations

import errno
import os
import sys
from io import FileIO

from diag.errors import DataError
from diag.sources.aside import run_aside
from diag.sources.files.content import Content, read_content

STDIN = "-"

_CHUNK = 1 << 20


class FileReading:
    """The records of one file, and at any time those that came so far."""

    def __init__(self, name: str, shown: str) -> None:
        self._name = name
        self._shown = shown
        self._chunks: list[bytes] = []
        self._content: Content | None = None

    async def finish(self) -> Content:
        """All of its records; raises `OSError` and `DataError`. A cancellation does not wait for the file."""
        return await run_aside(self._read)

    def so_far(self) -> Content:
        """What can be understood of the bytes that came."""
        if self._content is not None:
            return self._content
        try:
            return read_content(b"".join(self._chunks), self._shown)
        except DataError:
            return Content(())  # half of a compressed file is none

    def _read(self) -> Content:
        with _open(self._name) as stream:
            while chunk := stream.read(_CHUNK):
                self._chunks.append(chunk)
        self._content = read_content(b"".join(self._chunks), self._shown)
        return self._content


def _open(name: str) -> FileIO:
    """Without a buffer of Python's, whose lock a thread that is left behind would hold to the end."""
    if name != STDIN:
        return FileIO(name)
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return FileIO(os.dup(sys.stdin.fileno()))
