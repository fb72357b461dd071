"""The lines of a large file that hold one of some texts, found among its bytes.

What is no hit is never decoded: a search runs at the speed of the memory, a decoder at a hundredth of it.
The block is small enough to stay in the processor's cache while each text is looked for in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import stringzilla

_BLOCK = 256 << 10


class Line(NamedTuple):
    """One line as it stands in a file: its number, from 1, and its bytes without the line's end."""

    number: int
    data: bytes


class LineSearch:
    """The lines of a file that hold one of `texts`: block by block (empty lists, too), in their order.

    Raises `OSError` while it is gone through.

    Attributes:
        seen: the lines that were gone through so far.
    """

    def __init__(self, name: str, texts: Sequence[bytes]) -> None:
        self._name = name
        self._texts = texts
        self.seen = 0

    def __iter__(self) -> Iterator[list[Line]]:
        with Path(self._name).open("rb", buffering=0) as stream:
            for block, end in _read_blocks(stream):
                yield _to_lines(block, _find_places(block, end, self._texts), self.seen)
                self.seen += stringzilla.count(memoryview(block)[:end], b"\n")


def _read_blocks(stream: FileIO) -> Iterator[tuple[bytearray, int]]:
    """The buffer, the same each time, and where its last whole line ends; it grows with the longest line."""
    block, kept = bytearray(_BLOCK), 0
    while True:
        taken = stream.readinto(memoryview(block)[kept:])
        size = kept + taken
        end = size if not taken else block.rfind(b"\n", 0, size) + 1
        if end:
            yield block, end
        if not taken:
            return
        kept = size - end
        block[:kept] = block[end:size]
        if kept == len(block):
            block += bytes(kept)


def _find_places(block: bytearray, end: int, texts: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where the lines with a hit begin and end, each once, in order."""
    places: dict[int, int] = {}
    for text in texts:
        at = stringzilla.find(block, text, 0, end)
        while at >= 0:
            stop = block.find(b"\n", at, end)
            stop = end if stop < 0 else stop
            places[block.rfind(b"\n", 0, at) + 1] = stop
            at = stringzilla.find(block, text, stop, end)
    return sorted(places.items())


def _to_lines(block: bytearray, places: Sequence[tuple[int, int]], before: int) -> list[Line]:
    lines: list[Line] = []
    counted, number = 0, before + 1
    for start, stop in places:
        number += stringzilla.count(memoryview(block)[counted:start], b"\n")
        counted = start
        lines.append(Line(number, bytes(block[start:stop])))
    return lines
