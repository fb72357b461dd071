"""Follows the log files under one folder: whole lines only, each file from where it was left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

# What one batch has at most. Both together stay well below the 10 MB of one write request.
BATCH_LINES = 1000
BATCH_BYTES = 2 * 1024 * 1024
_LONGEST_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file without its newline, and the byte at which it begins."""

    path: Path
    offset: int
    content: bytes

    @property
    def end(self) -> int:
        """The byte after its newline."""
        return self.offset + len(self.content) + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines in the order of their files, and where each file is read on after them."""

    lines: list[Line] = field(default_factory=list)
    positions: dict[Path, int] = field(default_factory=dict)


class LogFiles:
    """All ``<pod>/<container>/<restart>.log`` under a folder.

    A batch that is not committed is read again: what was not sent is not lost.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._positions: dict[Path, int] = {}

    def read(self) -> Batch:
        """The next lines that were written since the last commit."""
        batch = Batch()
        room = BATCH_BYTES
        for path in sorted(self._root.glob("*/*/*.log")):
            start = self._positions.get(path, 0)
            lines = list(islice(_read_lines(path, start, room), BATCH_LINES - len(batch.lines)))
            if lines:
                batch.lines.extend(lines)
                batch.positions[path] = lines[-1].end
                room -= lines[-1].end - start
            if room <= 0 or len(batch.lines) == BATCH_LINES:
                break
        return batch

    def commit(self, batch: Batch) -> None:
        """Read on after `batch`."""
        self._positions.update(batch.positions)


def _read_lines(path: Path, start: int, room: int) -> Iterator[Line]:
    """Whole lines from byte `start` on."""
    *contents, _unfinished = _read(path, start, room).split(b"\n")
    for content in contents:
        line = Line(path, start, content)
        yield line
        start = line.end


def _read(path: Path, start: int, room: int) -> bytes:
    """About `room` bytes from byte `start` on; none of a file that has vanished."""
    try:
        if path.stat().st_size <= start:
            return b""
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(room)
            return data if b"\n" in data else data + file.read(_LONGEST_LINE_BYTES)
    except OSError:
        return b""
