"""Lines that a container runtime cut at 16 KiB, put together again.

containerd and CRI-O write ``TIME stdout P PIECE``, the last one with an ``F``; Docker writes
``{"log": PIECE, ...}``, the last one with the line's own end. The pieces of both streams of a container
may alternate. A line that was put together has the time and the number of its first piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from diag.model.records import LogRecord

DOCKER = b'{"log"'
"""How a line of Docker's begins."""

_CRI = re.compile(r"(\d{4}-\d\d-\d\dT\S{8,24} (stdout|stderr) )([PF])((?::\S*)? ?)")

_MOST_PIECES = 1024
"""Pieces of one line: past 16 MiB it is no line, but a writer that leaves the ends of lines away."""
_MOST_HELD = 8192
"""Records that may wait for the end of a line that began before them."""

_LOOK_BACK = 256
"""Lines before a cut that tell whether a line is open there: one of each stream is enough."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line of a runtime: its stream, what it holds of the service's line, and whether that ends with it."""

    stream: str
    text: str
    is_last: bool


def _read_piece(data: Mapping[str, Any] | str) -> _Piece | None:
    """None for what no container runtime wrote."""
    if isinstance(data, str):
        found = _CRI.match(data)
        return None if found is None else _Piece(found[2], data[found.end() :], found[3] == "F")
    text, stream, tag = data.get("log"), data.get("stream"), data.get("logtag")
    if not isinstance(text, str) or not isinstance(stream, str):
        return None
    return _Piece(f"{stream} of objects", text, tag != "P" if isinstance(tag, str) else text.endswith("\n"))


@dataclass(slots=True)
class _Held:
    """A record that waits, and the pieces that belong to it."""

    record: LogRecord
    pieces: list[LogRecord] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def joined(self) -> LogRecord:
        """The line as the service wrote it."""
        if not self.pieces:
            return self.record
        data, text = self.record.data, "".join(self.texts)
        if isinstance(data, str):
            found = _CRI.match(data)
            return LogRecord(f"{found[1] if found else ''}F {text}", self.record.origin)
        return LogRecord({**data, "log": text, "logtag": "F"}, self.record.origin)


class Joiner:
    """Takes lines that may be pieces, and what stands between them; gives whole lines, in order.

    Attributes:
        waits: a line is open: until it ends, every record must be given to `take`.
    """

    __slots__ = ("_ends_seen", "_held", "_open", "waits")

    def __init__(self) -> None:
        self.waits = False
        self._held: list[_Held] = []
        self._open: dict[str, _Held] = {}
        self._ends_seen = False

    def take(self, record: LogRecord) -> Iterable[LogRecord]:
        """What is whole now."""
        piece = _read_piece(record.data)
        if piece is None:
            self._held.append(_Held(record))
        else:
            self._take_piece(record, piece)
        self.waits = bool(self._open) and len(self._held) < _MOST_HELD
        return () if self.waits else self.rest()

    def _take_piece(self, record: LogRecord, piece: _Piece) -> None:
        begun = self._open.get(piece.stream)
        self._ends_seen |= piece.is_last
        if begun is None:
            begun = _Held(record)
            self._held.append(begun)
            if piece.is_last:
                return
            self._open[piece.stream] = begun
        else:
            begun.pieces.append(record)
        begun.texts.append(piece.text)
        if piece.is_last or len(begun.texts) >= _MOST_PIECES:
            del self._open[piece.stream]

    def rest(self) -> Iterable[LogRecord]:
        """All that waits. Where no line ever ended, the writer left the ends away: each piece is a line."""
        held, self._held, self._open, self.waits = self._held, [], {}, False
        if self._ends_seen:
            return [one.joined() for one in held]
        return [record for one in held for record in (one.record, *one.pieces)]


def may_cut(lines: bytes, at: int) -> bool:
    """Whether no line is in pieces at a line's end."""
    ended = set[str]()
    for line in _backwards(lines, at - 1):
        piece = _piece_in(line)
        if piece is not None and piece.stream not in ended:
            if not piece.is_last:
                return False
            ended.add(piece.stream)
    return True


def _backwards(lines: bytes, end: int) -> Iterator[bytes]:
    for _ in range(_LOOK_BACK):
        start = lines.rfind(b"\n", 0, end) + 1
        yield lines[start:end]
        if not start:
            return
        end = start - 1


def _piece_in(line: bytes) -> _Piece | None:
    if not line.startswith(b"{"):
        return _read_piece(line.decode("utf-8", "replace"))
    if not line.startswith(DOCKER):
        return None
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return _read_piece(found)
