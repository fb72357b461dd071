"""Large files are searched among their bytes: which of them, which lines are found, and what is said of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.catalogue import load_catalogue
from diag.model.coverage import State
from diag.model.instants import parse_instant
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.model.window import MINUTE_NS, Window
from diag.sources.files import Files, NarrowedFiles, large, narrowed, scan, source
from diag.sources.files.large import look_into

NOON = parse_instant("2026-11-24T12:00:00Z") or 0
EVER = Window(0, NOON * 2)


def a_line(second: int, **fields: Any) -> bytes:
    at = f"2026-11-24T12:{second // 60 % 60:02}:{second % 60:02}.5Z"
    return json.dumps({"timestamp": at, "message": "m", **fields}).encode()


def write(path: Path, lines: Sequence[bytes]) -> str:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def open_large(monkeypatch: pytest.MonkeyPatch, *names: str) -> NarrowedFiles:
    monkeypatch.setattr(source, "_WORTH", 0)
    files = Files(names)
    large = files.split_large(0)
    assert large
    return NarrowedFiles(files, large, load_catalogue())


def read(source: NarrowedFiles, query: LogQuery) -> list[LogRecord]:
    async def all_of_it() -> list[LogRecord]:
        return [record async for batch in source.read(query) for record in batch]

    return asyncio.run(all_of_it())


@given(
    lines=st.lists(
        st.lists(st.sampled_from([b"needle", b"other", b"x", b" ", b"need", b"le"]), max_size=8).map(b"".join)
    ),
    ends=st.booleans(),
)
def test_the_lines_with_a_hit_are_found_wherever_blocks_end(
    lines: list[bytes], ends: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each once, with its number; lines may be longer than a block, the last one may have no end."""
    path = tmp_path_factory.mktemp("scan") / "f"
    path.write_bytes(b"\n".join(lines) + (b"\n" if ends else b""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_BLOCK", 7)
        found = [line for block in scan.LineSearch(str(path), [b"needle", b"other"]) for line in block]

    wanted = [(n, line) for n, line in enumerate(lines, 1) if b"needle" in line or b"other" in line]
    assert [tuple(line) for line in found] == wanted


@pytest.mark.parametrize(
    "line",
    [
        a_line(1),
        b'{"time": "2026-11-24 12:00:01.5", "msg": "m"}',
        b'{"ts": 1795521601.5, "msg": "m"}',
        b'{"ts": 1795521601500, "msg": "m"}',
        b'{"timestamp": {"seconds": 1795521601, "nanos": 5}, "jsonPayload": {"message": "m"}}',
    ],
)
def test_files_whose_every_line_tells_its_time_can_be_searched(line: bytes, tmp_path: Path) -> None:
    """In the forms that loggers write."""
    assert look_into(write(tmp_path / "f", [line] * 9), "f")


@pytest.mark.parametrize(
    "lines",
    [
        [b"2026-11-24T12:00:00Z text"],
        [a_line(1), b"a line of text"],
        [a_line(1), b'{"message": "no time"}'],
        [b'{"timestamp": "2026-11-24T12:00:01+02:00", "message": "m"}'],
        [b'{"log":"{}\\n","stream":"stdout","time":"2026-11-24T12:00:01.5Z"}'],
        [b"2026-11-24T12:00:01.5Z stdout F {}"],
        [b"[" + a_line(1) + b"]"],
        [b"\x1f\x8b\x08"],
        [b""],
    ],
)
def test_what_is_less_regular_is_read_as_a_whole(lines: list[bytes], tmp_path: Path) -> None:
    """Lines of text, pieces, local times, arrays, packed files: no search would find all that belongs."""
    assert look_into(write(tmp_path / "f", lines * 3), "f") is None


def test_of_little_nothing_is_searched(tmp_path: Path) -> None:
    """Files that can be read in a moment are read."""
    assert not Files([write(tmp_path / "f", [a_line(1)] * 9)]).split_large(1 << 20)


def test_a_query_narrows_what_is_read_and_nothing_is_given_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an ID wherever it stands; by time, with a margin; small files as a whole, once."""
    lines = [a_line(n, session_id=f"session_{n}", note="täxt" if n == 70 else "") for n in range(600)]
    searched = write(tmp_path / "large", lines)
    files = open_large(monkeypatch, searched, write(tmp_path / "text", [b"a text"]))

    first = read(files, LogQuery(EVER, ids=("session_70",)))
    again = read(files, LogQuery(EVER, ids=("session_70", "täxt")))
    minute = Window(NOON + MINUTE_NS, NOON + 2 * MINUTE_NS)
    around = read(files, LogQuery(minute, without_ids=True))

    assert sorted(record.origin for record in first) == [f"{searched}:71", f"{tmp_path / 'text'}:1"]
    assert not again
    assert {record.origin for record in around} == {f"{searched}:{n + 1}" for n in range(60, 120) if n != 70}
    assert files.coverage().entries == 61
    assert "600 lines were searched" in " ".join(files.coverage().notes)
    assert not files.chose


def test_of_many_lines_around_only_the_telling_ones_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that name no session or a lost one, and those that place another; and it is said."""
    monkeypatch.setattr("diag.sources.files.narrowed.MOST_AROUND", 10)
    lines = [a_line(n % 60, session_id=f"session_{n}") for n in range(50)]
    telling = [
        a_line(1),
        a_line(2, session_id="undefined"),
        a_line(3, session_id=""),
        a_line(4, session_id="session_x", message="anchor"),
    ]
    searched = write(tmp_path / "large", [*lines, *telling])
    files = open_large(monkeypatch, searched)

    found = read(files, LogQuery(Window(NOON, NOON + MINUTE_NS), (), ("anchor",), without_ids=True))

    assert {record.origin for record in found} == {f"{searched}:{n}" for n in range(51, 55)}
    assert files.chose
    assert "more than 10 lines" in " ".join(files.coverage().notes)


def test_telling_lines_that_were_too_many_are_said_to_be_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them are no proof of what came later."""
    monkeypatch.setattr(narrowed, "MOST_AROUND", 10)
    monkeypatch.setattr(narrowed, "_MOST_CHOSEN", 20)
    files = open_large(monkeypatch, write(tmp_path / "large", [a_line(n % 60) for n in range(50)]))

    assert len(read(files, LogQuery(Window(NOON, NOON + MINUTE_NS), without_ids=True))) == 20
    assert "the first 20 of a file" in " ".join(files.coverage().notes)


def test_a_file_that_goes_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs its own lines; where nothing else was read the source has failed."""
    gone, there = (write(tmp_path / name, [a_line(1)] * 9) for name in ("gone", "there"))
    both, alone = open_large(monkeypatch, gone, there), open_large(monkeypatch, gone)
    Path(gone).unlink()

    for files, state in ((both, State.PARTIAL), (alone, State.FAILED)):
        read(files, LogQuery(EVER, ids=("x",)))
        assert files.coverage().state is state
        assert f"{gone}: no such file" in files.coverage().notes[0]


@pytest.mark.parametrize(
    ("asked", "spelled"),
    [
        ("a/b/c", rb"a\/b\/c"),
        ("a<b>&c", rb"a\u003cb\u003e\u0026c"),
        ("YWJjZA==", rb"YWJjZA\u003d\u003d"),
        ("caf\u00e9", rb"caf\u00E9"),
        ('a"b', rb"a\"b"),
    ],
)
def test_an_id_is_found_however_its_writer_spells_it(
    asked: str, spelled: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PHP, Go and Java write as numbers, or behind a stroke, what others write as it is."""
    lines = [a_line(1, session_id="@").replace(b"@", spelled), a_line(2, session_id="b")]
    files = open_large(monkeypatch, write(tmp_path / "f", lines))

    (found,) = read(files, LogQuery(EVER, ids=(asked,)))

    assert found.data["session_id"] == asked  # type: ignore[index]


def test_around_a_session_of_weeks_lines_are_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No few texts lead to these: each line is looked at."""
    lines = [a_line(1).replace(b"2026-11-24", b"2026-11-%02d" % day) for day in range(1, 25)]
    files = open_large(monkeypatch, write(tmp_path / "f", lines))

    assert len(read(files, LogQuery(files.span, without_ids=True))) == len(lines)


def test_around_a_session_is_read_where_it_stands_whatever_the_file_s_times_seemed_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that was put together of others some may lie between the places that were looked into."""
    early = [a_line(n, session_id="mine" if n else "").replace(b"T12", b"T08") for n in range(2)]
    lines = [a_line(1, pad="x" * 1000)] * 300
    lines[30:30] = early
    monkeypatch.setattr(large, "_SAMPLE", 4096)
    files = open_large(monkeypatch, write(tmp_path / "f", lines))
    window = Window(NOON - 240 * MINUTE_NS, NOON - 239 * MINUTE_NS)
    assert not files.span.overlaps(window)

    assert len(read(files, LogQuery(EVER, ids=("mine",)))) == 1
    assert len(read(files, LogQuery(window, without_ids=True))) == 1


def test_an_id_that_very_many_lines_hold_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter is in every line. What was left is said, and the answer is one of a part."""
    monkeypatch.setattr(narrowed, "_MOST_OWN", 10)
    monkeypatch.setattr(narrowed, "_AT_ONCE", 1)
    monkeypatch.setattr(scan, "_BLOCK", 1 << 10)
    files = open_large(monkeypatch, write(tmp_path / "f", [a_line(1)] * 2000))

    assert 10 < len(read(files, LogQuery(EVER, ids=("m",)))) < 100
    assert files.coverage().state is State.PARTIAL
    assert "more than 10 lines hold one of the IDs" in files.coverage().notes[0]
