"""A large file of lines, cut into parts that can be read one by one, or side by side."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diag.model.records import LogRecord
from diag.sources.files.content import holds_lines, read_content, read_lines

_BLOCK = 1 << 20
_LOOK_AT = 8192


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a file, or all that it holds.

    Attributes:
        shown: the file's name as references give it.
        start: the first byte.
        end: the byte behind the last; None: the file is one part, of whatever content.
        first_line: the number of its first line.
        lines: how many it has at most; 0 where that is not known.
    """

    name: str
    shown: str
    start: int = 0
    end: int | None = None
    first_line: int = 1
    lines: int = 0


def split_file(name: str, shown: str, size: int) -> tuple[Part, ...]:
    """The parts of a file, each about `size` bytes and of whole lines; one part where it is no lines.

    Raises `OSError`.
    """
    with Path(name).open("rb", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        head = stream.read(_LOOK_AT) if stat.S_ISREG(status.st_mode) and status.st_size > size else b""
        if not head or not holds_lines(head):
            return (Part(name, shown),)
        stream.seek(0)
        return tuple(_cut(stream.fileno(), name, shown, size))


def _cut(stream: int, name: str, shown: str, size: int) -> Iterator[Part]:
    """Parts that end with the first line's end behind `size` bytes."""
    start, position, first_line, lines = 0, 0, 1, 0
    while block := os.read(stream, _BLOCK):
        at = block.rfind(b"\n") + 1
        if position + at - start >= size and at:
            lines += block.count(b"\n", 0, at)
            yield Part(name, shown, start, position + at, first_line, lines)
            start, first_line, lines = position + at, first_line + lines, block.count(b"\n", at)
        else:
            lines += block.count(b"\n")
        position += len(block)
    if position > start:
        yield Part(name, shown, start, position, first_line, lines + 1)


class PartReading:
    """The records of one part, made as they are asked for. Raises `OSError` and `DataError`.

    Attributes:
        cut: once all are read: the part ends in the middle of an object.
        count: records so far.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self.cut = False
        self.count = 0

    def __iter__(self) -> Iterator[LogRecord]:
        part = self._part
        if part.end is None:
            content = read_content(Path(part.name).read_bytes(), part.shown)
            self.cut, self.count = content.cut, len(content.records)
            yield from content.records
            return
        with Path(part.name).open("rb") as stream:
            stream.seek(part.start)
            data = stream.read(part.end - part.start)
        for record in read_lines(data, part.shown, part.first_line):
            self.count += 1
            self.cut = isinstance(record.data, str) and record.data.lstrip().startswith("{")
            yield record
