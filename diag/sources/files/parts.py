"""A large file of lines, cut into parts that can be read one by one, or side by side."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diag.model.records import LogRecord
from diag.sources.files.content import ends_cut, holds_lines, read_content
from diag.sources.files.lines import read_lines
from diag.sources.files.pieces import may_cut
from diag.sources.files.reading import STDIN

_BLOCK = 1 << 20
_LOOK_AT = 8192
_TRIES = 64
_MOST_WITHOUT_END = 8 << 20
"""Bytes past a part's size in which no line ends: then it is cut in the middle of one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a file, or all that it holds.

    Attributes:
        shown: the file's name as references give it.
        start: the first byte.
        end: the byte behind the last; None: the file is one part, of whatever content.
        first_line: the number of its first line.
        is_last: of its file.
    """

    name: str
    shown: str
    start: int = 0
    end: int | None = None
    first_line: int = 1
    is_last: bool = True


def split_file(name: str, shown: str, size: int) -> tuple[Part, ...]:
    """The parts of a file, each about `size` bytes and of whole lines; one part where it is no lines.

    Raises `OSError`. Standard input is one part.
    """
    if name == STDIN:
        return (Part(name, shown),)
    with Path(name).open("rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        head = stream.read(_LOOK_AT) if stat.S_ISREG(status.st_mode) and status.st_size > size else b""
        if not head or not holds_lines(head):
            return (Part(name, shown),)
        stream.seek(0)
        found = _find_cuts(stream.fileno(), size)
        cuts = [(0, 1), *(cut for cut in found if cut[0] < status.st_size)]
    ends = [*(start for start, _ in cuts[1:]), status.st_size]
    return tuple(
        Part(name, shown, start, end, first_line, is_last=end == ends[-1])
        for (start, first_line), end in zip(cuts, ends, strict=True)
    )


def _find_cuts(stream: int, size: int) -> Iterator[tuple[int, int]]:
    """Where to cut: a line's end about every `size` bytes, with the number of the next line."""
    last, position, line = 0, 0, 1
    while block := os.read(stream, _BLOCK):
        at = block.rfind(b"\n") + 1
        if at and (taken := position + at - last) >= size:
            at = _find_end(block, at) or (at if taken > size + _MOST_WITHOUT_END else 0)
            if at:
                last = position + at
                yield last, line + block.count(b"\n", 0, at)
        line += block.count(b"\n")
        position += len(block)


def _find_end(block: bytes, at: int) -> int:
    """The last line's end, up to `at`, where no line is in pieces; 0 if there is none."""
    for _ in range(_TRIES):
        if not at or may_cut(block, at):
            return at
        at = block.rfind(b"\n", 0, at - 1) + 1
    return 0


class PartReading:
    """The records of one part, made as they are asked for. Raises `OSError` and `DataError`.

    Attributes:
        cut: once all are read: the part ends in the middle of an object.
        problems: once all are read: what else of it could not be read.
        notes: once all are read: what is worth to be known, and is no loss.
        empty: once all are read: nothing stands in the file.
        count: records so far.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self.cut = False
        self.problems: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.empty = False
        self.count = 0

    def __iter__(self) -> Iterator[LogRecord]:
        part = self._part
        if part.end is None:
            content = read_content(Path(part.name).read_bytes(), part.shown)
            self.cut, self.count = content.cut, len(content.records)
            self.problems, self.notes, self.empty = content.problems, content.notes, content.is_empty
            yield from content.records
            return
        with Path(part.name).open("rb") as stream:
            stream.seek(part.start)
            data = stream.read(part.end - part.start)
        last: LogRecord | None = None
        for self.count, last in enumerate(read_lines(data, part.shown, part.first_line), 1):
            yield last
        self.cut = last is not None and ends_cut(last)
