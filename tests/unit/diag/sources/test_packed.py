"""Packed logs of every kind, whole, of many members, broken, and made to do harm."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard

from diag.errors import DataError
from diag.sources.files import packed
from diag.sources.files.content import holds_lines, read_content

TEXT = "".join(json.dumps({"msg": "Transcription failed", "n": n}) + "\n" for n in range(500)).encode()

Pack = Callable[[bytes], bytes]

kinds = pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor(write_checksum=True).compress],
    ids=["gzip", "bzip2", "xz", "zstd"],
)


def numbers(raw: bytes) -> list[int]:
    return [record.data["n"] for record in read_content(raw, "log").records if isinstance(record.data, dict)]


@kinds
def test_what_is_packed_is_read(pack: Pack) -> None:
    """With the numbers of the lines inside, and never cut into parts."""
    content = read_content(pack(TEXT), "log")

    assert [record.data["n"] for record in content.records] == list(range(500))
    assert (content.records[-1].origin, content.problems) == ("log:500", ())
    assert not holds_lines(pack(TEXT)[:8192])


@kinds
def test_all_members_of_a_file_are_read(pack: Pack) -> None:
    """``cat a.gz b.gz``, and what rotates with ``zstd --rsyncable`` or ``pigz``."""
    half = len(TEXT) // 2

    assert numbers(pack(TEXT[:half]) + pack(TEXT[half:])) == list(range(500))


def test_a_zstd_file_may_begin_with_a_frame_to_be_skipped() -> None:
    """As pzstd writes one, and writes many frames."""
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    frames = b"".join(zstandard.compress(line + b"\n") for line in TEXT.splitlines())

    assert numbers(skipped + frames) == list(range(500))


@kinds
def test_of_a_file_that_broke_off_comes_what_came(pack: Pack) -> None:
    """And one line says so: a download that ended early is no reason to see nothing."""
    noise = random.Random(7)
    whole = b"".join(b'{"n": %d, "x": "%x"}\n' % (n, noise.getrandbits(256)) for n in range(20_000))
    raw = pack(whole)
    content = read_content(raw[: len(raw) * 9 // 10], "log")

    assert 1_000 < len(content.records) < 20_000
    assert content.records[0].data == json.loads(whole.partition(b"\n")[0])
    assert len(content.problems) == 1
    assert content.problems[0].startswith("log: broken ")
    assert not content.cut


@kinds
def test_a_bomb_is_refused_before_it_fills_the_memory(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was packed twice."""
    monkeypatch.setattr(packed, "_SMALL", 1 << 20)
    bomb = pack(b"a" * (3 << 20))

    for raw in (bomb, pack(bomb)):
        with pytest.raises(DataError, match="unpacks to more than"):
            read_content(raw, "log")


def test_a_file_that_was_packed_twice_is_read_and_endlessly_is_not() -> None:
    """The log rotation packs, and the upload packs again."""
    raw = TEXT
    for _ in range(3):
        raw = gzip.compress(raw)

    assert numbers(raw) == list(range(500))
    with pytest.raises(DataError, match="packed more than 3 times"):
        read_content(gzip.compress(raw), "log")


def test_a_window_larger_than_zstd_takes_unasked_is_refused() -> None:
    """A header of ten bytes must not ask for gigabytes."""
    window_of_1_gib = b"\x28\xb5\x2f\xfd\x00\xa0" + ((5 << 3) | 1).to_bytes(3, "little") + b"line\n"
    with pytest.raises(DataError, match="broken zstd file"):
        read_content(window_of_1_gib, "log")


@pytest.mark.parametrize("start", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\x00"])
def test_what_only_begins_like_a_packed_file_is_a_problem(start: bytes) -> None:
    """What, and what to do."""
    with pytest.raises(DataError, match="broken") as raised:
        read_content(start + b"nonsense that is no archive at all", "log")

    assert raised.value.hint == "fetch it again"
