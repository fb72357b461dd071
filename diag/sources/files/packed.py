"""Packed bytes -> what they hold: gzip, zstd, bzip2 and xz, of many members, never more than is bearable.

What was packed twice is unpacked twice. Of a file that broke off comes what can still be unpacked.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from diag.errors import DataError

LARGEST = 1 << 30
"""Bytes that one file may unpack to."""
MOST_PACKED = 200
"""Bytes that one packed byte may hold: logs pack twenty to one, a bomb a thousand to one."""
_SMALL = 64 << 20

_LAYERS = 3
_CHUNK = 1 << 20
_MOST_MEMORY = 160 << 20
"""Bytes that a decoder may ask for: 128 MiB are the largest window that `zstd` and `xz` take unasked."""
_ZSTD_WINDOW = 128 << 20
_ZSTD_FEED = 4096
"""Packed bytes for one step: a block of four may hold 128 KiB."""


class Room:
    """Bytes that all of one file may still unpack to, whatever is packed in what.

    Attributes:
        left: how many.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = LARGEST

    def most_of(self, raw: bytes) -> int:
        """Bytes that `raw` may unpack to."""
        return min(self.left, max(_SMALL, MOST_PACKED * len(raw)))


class Unpacked(NamedTuple):
    """What packed bytes hold.

    Attributes:
        broken: why the rest could not be unpacked; empty if nothing is missing.
    """

    data: bytes
    broken: str = ""


def is_packed(head: bytes) -> bool:
    """Whether a file that begins so is packed."""
    return _find_packer(head) is not None


def unpack(raw: bytes, name: str, room: Room) -> Unpacked:
    """`raw`, or what is packed in it; raises `DataError` where that is nothing, or too much to bear."""
    most, found = room.most_of(raw), Unpacked(raw)
    for _ in range(_LAYERS):
        packer = _find_packer(found.data)
        if packer is None:
            return found
        inner = _unpack_layer(packer, found.data, most, name)
        room.left -= len(inner.data)
        found = Unpacked(inner.data, found.broken or inner.broken)
    if is_packed(found.data):
        raise DataError(f"{name}: packed more than {_LAYERS} times", hint="unpack it and give the logs")
    return found


class _Packer(NamedTuple):
    """A way to pack: its name, how its bytes begin, and how they are read."""

    name: str
    begins: re.Pattern[bytes]
    read: Callable[[bytes], Iterator[bytes]]


def _find_packer(head: bytes) -> _Packer | None:
    return next((packer for packer in _PACKERS if packer.begins.match(head)), None)


def _unpack_layer(packer: _Packer, raw: bytes, most: int, name: str) -> Unpacked:
    data = bytearray()
    try:
        for chunk in packer.read(raw):
            data += chunk
            if len(data) > most:
                raise DataError(
                    f"{name}: unpacks to more than {most >> 20} MiB",
                    hint="unpack it and give the part in question",
                )
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        if data:
            return Unpacked(bytes(data), f"broken {packer.name} file ({error})")
        raise DataError(f"{name}: broken {packer.name} file ({error})", hint="fetch it again") from error
    return Unpacked(bytes(data))


def _read_gzip(raw: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
        while chunk := packed.read1(_CHUNK):
            yield chunk


def _read_bzip2(raw: bytes) -> Iterator[bytes]:
    return _read_streams(raw, bz2.BZ2Decompressor)


def _read_xz(raw: bytes) -> Iterator[bytes]:
    return _read_streams(raw, lambda: lzma.LZMADecompressor(memlimit=_MOST_MEMORY))


def _read_streams(
    raw: bytes, begin: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    """One stream after the other, with the zeros between them that xz allows."""
    while raw:
        stream, given = begin(), raw
        while not stream.eof:
            chunk = stream.decompress(given, _CHUNK)
            given = b""
            if not chunk and stream.needs_input and not stream.eof:
                raise EOFError("it ends too early")
            yield chunk
        raw = stream.unused_data.lstrip(b"\x00")


def _read_zstd(raw: bytes) -> Iterator[bytes]:
    import zstandard  # noqa: PLC0415  few files are packed so, and it takes 10 ms

    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame, begun = unpacker.decompressobj(), False
    waiting = memoryview(raw)
    try:
        while waiting:
            begun = True
            yield frame.decompress(waiting[:_ZSTD_FEED])
            used = min(_ZSTD_FEED, len(waiting)) - len(frame.unused_data)
            waiting = waiting[used:]
            if frame.eof:
                frame, begun = unpacker.decompressobj(), False
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
    if begun:
        raise EOFError("it ends too early")


_PACKERS = (
    _Packer("gzip", re.compile(rb"\x1f\x8b"), _read_gzip),
    # A frame that is to be skipped may come first: pzstd writes one.
    _Packer("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), _read_zstd),
    _Packer("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), _read_bzip2),
    _Packer("xz", re.compile(rb"\xfd7zXZ\x00"), _read_xz),
)
