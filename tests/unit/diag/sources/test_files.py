"""Every kind of log file, whole or broken."""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import json
import os
import re
import struct
import sys
import termios
from pathlib import Path

import pytest

from diag.catalogue import load_catalogue
from diag.model.coverage import State
from diag.model.frames import to_entries
from diag.model.queries import LogQuery
from diag.model.window import Window
from diag.normalise import to_frame
from diag.sources.files import Files

ENTRIES = [{"insertId": str(n), "jsonPayload": {"msg": f"line {n}"}} for n in range(3)]


async def read(*names: str):
    source = Files(names)
    records = [record async for batch in source.read(LogQuery(Window(0, 0))) for record in batch]
    return records, source.coverage()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ENTRIES),
        json.dumps(ENTRIES, indent=2),
        "\n".join(map(json.dumps, ENTRIES)) + "\n",
        "\r\n".join(map(json.dumps, ENTRIES)),
        "\n".join(json.dumps(entry, indent=2) for entry in ENTRIES),
        "\ufeff" + "\n".join(map(json.dumps, ENTRIES)),
    ],
    ids=["array", "gcloud's array", "NDJSON", "CRLF", "objects in a row", "byte order mark"],
)
async def test_the_same_entries_come_from_every_form(workdir: Path, content: str) -> None:
    """Told apart by content."""
    Path("a.txt").write_text(content, "utf-8")

    records, coverage = await read("a.txt")

    assert [record.data for record in records] == ENTRIES
    assert (coverage.state, coverage.entries) == (State.COMPLETE, 3)


@pytest.mark.parametrize(
    "content", ["", "\n\n", "[]", "\ufeff"], ids=["no byte", "blank", "gcloud's", "mark"]
)
async def test_a_file_in_which_nothing_stands_is_told(workdir: Path, content: str) -> None:
    """An export that failed leaves one: that its lines were seen nobody must believe."""
    Path("a.json").write_text(json.dumps(ENTRIES))
    Path("b.json").write_text(content, "utf-8")
    Path("folder").mkdir()

    _, coverage = await read("a.json", "b.json", "folder")

    assert (coverage.state, coverage.entries) == (State.COMPLETE, 3)
    assert coverage.notes[-1].startswith("nothing stands in ")
    assert "a.json" not in coverage.notes[-1]
    assert {"b.json", "folder"} <= set(re.split(r"[ ,;]+", coverage.notes[-1]))


async def test_a_name_of_nothing_is_shown(workdir: Path) -> None:
    """A script's variable that was not set: a blank in the line would tell nobody."""
    _, coverage = await read("")

    assert (coverage.state, coverage.asked) == (State.FAILED, '""')
    assert coverage.notes[0].startswith('"": no such file')


async def test_compressed_files_and_wide_characters_are_read(workdir: Path) -> None:
    """gzip, and what a Windows shell writes."""
    text = "\n".join(map(json.dumps, ENTRIES))
    Path("a.gz").write_bytes(gzip.compress(text.encode()))
    Path("b.txt").write_bytes(text.encode("utf-16"))

    records, _ = await read("a.gz", "b.txt")

    assert [record.data for record in records] == ENTRIES * 2


async def test_text_lines_keep_their_numbers_and_empty_ones_are_none(workdir: Path) -> None:
    """``file:line`` must be right."""
    Path("a.log").write_text("one\n\nthree\n")

    records, _ = await read("a.log")

    assert [(record.data, record.origin) for record in records] == [("one", "a.log:1"), ("three", "a.log:3")]


async def test_a_cut_array_gives_its_whole_objects_and_the_rest_as_a_line(workdir: Path) -> None:
    """A download that broke off loses nothing that came."""
    whole = json.dumps(ENTRIES, indent=2)
    Path("a.json").write_text(whole[: whole.rindex('"msg"')])

    records, _ = await read("a.json")

    assert [record.data for record in records[:2]] == ENTRIES[:2]
    assert isinstance(records[2].data, str)


async def test_half_a_line_is_kept_as_text(workdir: Path) -> None:
    """It is counted as not understood further on."""
    Path("a.log").write_text('{"msg": "whole"}\n{"msg": "ha')

    records, _ = await read("a.log")

    assert [record.data for record in records] == [{"msg": "whole"}, '{"msg": "ha']


async def test_one_unreadable_file_does_not_cost_the_others(workdir: Path) -> None:
    """What, where, and what to do, for each."""
    Path("good.log").write_text("one\n")
    Path("binary").write_bytes(b"\x7fELF\x00\x00\x01")
    Path("bad.gz").write_bytes(b"\x1f\x8bnonsense")
    Path("a.zst").write_bytes(b"\x28\xb5\x2f\xfd1234")

    records, coverage = await read("good.log", "gone.log", "binary", "bad.gz", "a.zst")

    assert len(records) == 1
    assert coverage.state is State.PARTIAL
    assert [note.partition(":")[0] for note in coverage.notes] == ["gone.log", "binary", "bad.gz", "a.zst"]
    assert all(";" in note for note in coverage.notes)


async def test_nothing_readable_is_a_failed_source(workdir: Path) -> None:
    """Not an empty answer."""
    _, coverage = await read("gone.log")

    assert coverage.state is State.FAILED


async def test_a_folder_gives_its_files_in_the_order_of_their_names(workdir: Path) -> None:
    """So that the same folder gives the same answer; a pipe in it, which nobody may ever end, is no file."""
    for name in ("b.log", "a.log", "sub/c.log"):
        Path("logs", name).parent.mkdir(parents=True, exist_ok=True)
        Path("logs", name).write_text(name)
    os.mkfifo("logs/pipe")

    records, _ = await read("logs")

    assert [record.data for record in records] == ["a.log", "b.log", "sub/c.log"]


async def test_a_file_that_is_called_like_a_pattern_is_that_file(workdir: Path) -> None:
    """A download's second copy; where there is none of that name it is a pattern."""
    for name in ("log[1].json", "log1.json"):
        Path(name).write_text(name)

    records, _ = await read("log[1].json")
    matching, _ = await read("log[0-9].json")

    assert [record.data for record in (*records, *matching)] == ["log[1].json", "log1.json"]


async def test_what_is_no_log_in_a_folder_is_no_loss(workdir: Path) -> None:
    """As in an archive of that folder: a Mac's .DS_Store costs no session its verdict. What is named is."""
    Path("logs").mkdir()
    Path("logs/a.log").write_text("one\n")
    Path("logs/.DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")

    records, coverage = await read("logs")
    named, by_name = await read("logs/a.log", "logs/.DS_Store")

    assert [record.data for record in records] == [record.data for record in named] == ["one"]
    assert coverage.state is State.COMPLETE
    assert coverage.notes == ("logs: 1 file is binary and no logs: logs/.DS_Store",)
    assert by_name.state is State.PARTIAL


async def test_a_folder_without_any_log_is_not_read(workdir: Path) -> None:
    """Rather than complete and empty."""
    Path("logs").mkdir()
    Path("logs/core").write_bytes(b"\x7fELF\x00\x00\x01")

    _, coverage = await read("logs")

    assert coverage.state is State.FAILED


async def test_a_service_that_logs_a_zero_still_writes_a_log(workdir: Path) -> None:
    """A packet or a key, logged as it is, costs no other line; what is compiled is full of them."""
    Path("logs").mkdir()
    Path("logs/a.log").write_bytes(b"a packet of 12 bytes came: \x00\x01ab\xff\n" + b"one\n" * 20)
    Path("logs/b.bin").write_bytes(b"compiled " + bytes(range(256)))

    records, coverage = await read("logs")

    assert len(records) == 21
    assert coverage.state is State.COMPLETE
    assert coverage.notes == ("logs: 1 file is binary and no logs: logs/b.bin",)


@pytest.mark.parametrize("text", ["one\n" + "\x00" * 9000, "\x00" * 9000 + "one\n"])
async def test_zeros_around_a_log_are_no_part_of_it(workdir: Path, text: str) -> None:
    """A node that lost its power leaves them at the end, a log that was cut while written at the beginning."""
    Path("logs").mkdir()
    Path("logs/a.log").write_text(text)

    for name in ("logs", "logs/a.log"):
        records, coverage = await read(name)

        assert [record.data for record in records] == ["one"]
        assert coverage.state is State.COMPLETE


async def test_standard_input_is_a_file_called_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    """``gcloud logging read ... | diag session ID -``."""
    reader, writer = os.pipe()
    os.write(writer, json.dumps(ENTRIES).encode())
    os.close(writer)
    with os.fdopen(reader) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)

        records, coverage = await read("-", "-")

    assert len(records) == 3
    assert records[0].origin == "stdin:1"
    assert coverage.asked == "stdin, stdin"
    assert coverage.notes == ("given more than once, and read once: stdin",)


async def test_a_closed_standard_input_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """``diag session ID - <&-``."""
    monkeypatch.setattr(sys, "stdin", None)

    _, coverage = await read("-")

    assert coverage.state is State.FAILED
    assert coverage.notes == ("stdin: it is closed; pipe logs into it",)


async def test_one_file_under_many_names_is_read_once(workdir: Path) -> None:
    """The first name counts; two files with the same lines are two."""
    Path("logs").mkdir()
    Path("logs/a.log").write_text("one\n")
    Path("logs/b.log").write_text("one\n")
    Path("c.log").symlink_to("logs/a.log")

    records, coverage = await read("c.log", "./c.log", "logs", "logs/a.log", "logs/b.log")

    assert [record.origin for record in records] == ["c.log:1", "logs/b.log:1"]
    assert coverage.state is State.COMPLETE
    assert coverage.notes == ("given more than once, and read once: ./c.log, logs/a.log, logs/a.log, ...",)


async def test_a_folder_that_can_not_be_listed_is_a_problem(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never an empty answer."""
    Path("logs/closed").mkdir(parents=True)
    Path("logs/a.log").write_text("one\n")
    scan = os.scandir

    def refuse(path: str):
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)

    records, coverage = await read("logs")

    assert len(records) == 1
    assert coverage.state is State.PARTIAL
    assert coverage.notes == ("logs/closed: Permission denied; check the name and your rights",)


async def test_a_cancelled_read_gives_what_came_of_a_pipe(workdir: Path) -> None:
    """And does not wait for the rest of it."""
    os.mkfifo("pipe")
    opened = os.open("pipe", os.O_RDWR)
    os.write(opened, b"one\ntwo\n")
    source, came = Files(["pipe"]), []

    async def consume() -> None:
        async for batch in source.read(LogQuery(Window(0, 0))):
            came.extend(record.data for record in batch)

    task = asyncio.create_task(consume())
    for more in (b"", b"\n"):  # when it has come back for more, what it took first is in its hands
        os.write(opened, more)
        async with asyncio.timeout(60):
            while struct.unpack("i", fcntl.ioctl(opened, termios.FIONREAD, b"\0" * 4))[0]:
                await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.close(opened)

    assert came == ["one", "two"]


async def test_what_json_allows_and_nothing_can_write_is_read_all_the_same(workdir: Path) -> None:
    """Half a UTF-16 pair, a number of a hundred digits: Python's own decoder lets them through."""
    (workdir / "a.json").write_text('[\n {"msg": "half \\ud83d pair", "n": ' + "9" * 100 + "}\n]")
    records, _ = await read("a.json")
    frame = to_frame(records, load_catalogue())

    assert frame["message"].to_list() == ["half ? pair"]
    assert not frame["unparsed"].any()


@pytest.mark.parametrize(
    ("number", "read_as"),
    [
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ("9" * 5_000, None),
        ("1" + "0" * 30, 1e30),
        (str(2**64 - 1), 2**64 - 1),
        (str(2**64), float(2**64)),
        (str(-(2**63) - 1), float(-(2**63))),
    ],
)
async def test_numbers_of_indented_objects_are_read_as_those_of_lines(
    workdir: Path, number: str, read_as: float | None
) -> None:
    """What is none, or too great for any number, is nothing; all of them together can be written again."""
    (workdir / "a.json").write_text(f'{{\n "msg": "a", "n": {number}, "nan": NaN, "big": {10**30}\n}}')
    records, _ = await read("a.json")
    (entry,) = to_entries(to_frame(records, load_catalogue()))

    assert entry.fields["n"] == read_as
    assert type(entry.fields["n"]) is type(read_as)


@pytest.mark.parametrize("layout", ["{\n%s}", "[{%s}]", "{%s}\n"], ids=["indented", "array", "lines"])
async def test_nesting_without_end_is_some_record(workdir: Path, layout: str) -> None:
    """However deep: as deep as can be read, but not written again, too."""
    for depth in (250, 260, *range(900, 1_000), 2_000, 100_000):
        text = layout % f'"a": {"[" * depth}{"]" * depth}, "half": "\\ud800"'
        (workdir / "a.json").write_text(text)
        records, coverage = await read("a.json")

        assert len(to_frame(records, load_catalogue())) == 1, depth
        assert coverage.state is not State.FAILED
