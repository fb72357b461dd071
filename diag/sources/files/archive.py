"""Archives of logs: the files of a tar or a zip, one after the other. Nothing is ever written to disk."""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from diag.errors import DataError
from diag.sources.files.packed import Room

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MARK = slice(257, 262)
_MOST_MEMBERS = 20_000
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
_CLOSED = (RuntimeError, NotImplementedError)
"""What `zipfile` raises for what is encrypted, or packed in a way that it does not know."""


class Member(NamedTuple):
    """A file of an archive: its name, and how its bytes are read, at most so many."""

    name: str
    read: Callable[[int], bytes]


def is_archive(head: bytes) -> bool:
    """Whether a file that begins so is an archive."""
    return head.startswith(_ZIP) or head[_TAR_MARK] == b"ustar"


def read_members(data: bytes, name: str, room: Room) -> Iterator[tuple[str, bytes | DataError]]:
    """Each file of the archive with its bytes, or why it has none; raises `DataError` for what is no archive.

    Past what an archive may hold, files or bytes, it ends with a `DataError` of its own name.
    """
    most = left = room.most_of(data)
    for number, member in enumerate(_list_members(data, name)):
        if number >= _MOST_MEMBERS:
            yield (
                name,
                DataError(f"{name}: holds more than {_MOST_MEMBERS:,} files", hint="give those in question"),
            )
            return
        shown = f"{name}!{member.name}"
        try:
            content = member.read(left + 1)
        except (*_BROKEN, *_CLOSED) as error:
            yield (
                shown,
                DataError(f"{shown}: could not be unpacked ({error})", hint="unpack it and give it alone"),
            )
            continue
        left, room.left = left - len(content), room.left - len(content)
        if left < 0:
            yield (
                name,
                DataError(
                    f"{name}: unpacks to more than {most >> 20} MiB",
                    hint="give the files in question",
                ),
            )
            return
        yield shown, content


def _list_members(data: bytes, name: str) -> Iterator[Member]:
    listing = _list_zip if data.startswith(_ZIP) else _list_tar
    try:
        yield from listing(io.BytesIO(data))
    except _BROKEN as error:
        raise DataError(f"{name}: broken archive ({error})", hint="fetch it again") from error


def _list_tar(data: io.BytesIO) -> Iterator[Member]:
    with tarfile.open(fileobj=data, mode="r:") as archive:
        for info in archive:
            stream = archive.extractfile(info) if info.isreg() else None
            if stream is not None:
                yield Member(_show(info.name), stream.read)


def _list_zip(data: io.BytesIO) -> Iterator[Member]:
    with zipfile.ZipFile(data) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield Member(_show(info.filename), _opener(archive, info))


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with archive.open(info) as stream:
            return stream.read(most)

    return read


def _show(name: str) -> str:
    """A member's name as text that every output can hold."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").removeprefix("./")
