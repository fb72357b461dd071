"""Packed files and archives, whole and cut, and what can still be unpacked of them: told by the standard library alone."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import zstandard

_CHUNK = 64
"""Bytes that a decoder is fed at once: those before the first broken ones count."""


class Packing(NamedTuple):
    """How bytes are packed, and what one that reads them to the first fault gets of them."""

    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


def pack(data: bytes, random: Random) -> tuple[bytes, bytes]:
    """The file, half of the time cut, and the bytes of `data` that can be had of it."""
    packing = random.choice(_PACKINGS)
    packed = packing.pack(data)
    if random.random() < 0.5:
        packed = packed[: random.randint(1, len(packed))]
    return packed, packing.unpack(packed)


def _feed(begin: Callable[[], object]) -> Callable[[bytes], bytes]:
    def unpack(packed: bytes) -> bytes:
        decoder, whole = begin(), b""
        for at in range(0, len(packed), _CHUNK):
            try:
                whole += decoder.decompress(packed[at : at + _CHUNK])  # type: ignore[attr-defined]
            except (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError):
                break
        return whole

    return unpack


def _to_tar(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("media-server.log")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _to_zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("media-server.log", data)
    return file.getvalue()


def _from_zip(packed: bytes) -> bytes:
    """Without the list at its end it is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return archive.read(archive.namelist()[0])
    except zipfile.BadZipFile:
        return b""


_PACKINGS = (
    Packing(lambda data: gzip.compress(data, 1), _feed(lambda: zlib.decompressobj(wbits=31))),
    Packing(lambda data: bz2.compress(data, 1), _feed(bz2.BZ2Decompressor)),
    Packing(lambda data: lzma.compress(data, preset=0), _feed(lzma.LZMADecompressor)),
    Packing(zstandard.compress, _feed(lambda: zstandard.ZstdDecompressor().decompressobj())),
    Packing(_to_tar, lambda packed: packed),
    Packing(_to_zip, _from_zip),
)
