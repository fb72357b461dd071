"""Parts of a file hold what the file holds, wherever it is cut."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diag.model.records import LogRecord
from diag.sources.files import Part, PartReading
from diag.sources.files.content import read_content
from diag.sources.files.parts import split_file

lines = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00\n"), max_size=30).map(str.encode),
        st.integers().map(lambda n: json.dumps({"msg": "ok", "n": n}).encode()),
        st.sampled_from([b"", b"\r", b"\xff\xfe broken", b'{"half": ']),
    ),
    max_size=40,
)


def read_parts(path: Path, size: int) -> tuple[LogRecord, ...]:
    return tuple(record for part in split_file(str(path), "log", size) for record in PartReading(part))


@settings(max_examples=150)
@given(lines, st.integers(1, 200), st.booleans())
def test_the_parts_together_are_the_whole(tmp_path_factory, lines: list[bytes], size: int, end: bool) -> None:
    """Every record once, in order, with the number of its line."""
    path = tmp_path_factory.mktemp("parts") / "log"
    path.write_bytes(b"first line\n" + b"\n".join(lines) + (b"\n" if end else b""))

    assert read_parts(path, size) == read_content(path.read_bytes(), "log").records


def test_what_is_no_lines_is_one_part(tmp_path: Path) -> None:
    """An array, indented objects, a packed file: cut anywhere they could not be read."""
    entries = [{"msg": "ok", "n": n} for n in range(50)]
    contents = (
        json.dumps(entries).encode(),
        "\n".join(json.dumps(entry, indent=2) for entry in entries).encode(),
        gzip.compress("\n".join(map(json.dumps, entries)).encode()),
    )
    for number, content in enumerate(contents):
        path = tmp_path / f"log{number}"
        path.write_bytes(content)
        parts = split_file(str(path), "log", 20)

        assert parts == (Part(str(path), "log"),)
        assert len(tuple(PartReading(parts[0]))) == 50


def test_only_the_last_part_can_end_too_early(tmp_path: Path) -> None:
    """A file that is cut in the middle of an object is said to be; its other parts are not."""
    path = tmp_path / "log"
    path.write_text('{"a": 1}\n' * 10 + '{"b": ')
    parts = split_file(str(path), "log", 30)
    readings = [PartReading(part) for part in parts]
    for reading in readings:
        list(reading)

    assert [reading.cut for reading in readings] == [*(False for _ in parts[1:]), True]
    assert [part.is_last for part in parts] == [*(False for _ in parts[1:]), True]


def test_a_file_that_is_not_there_raises(tmp_path: Path) -> None:
    """Whoever asks says so."""
    with pytest.raises(FileNotFoundError):
        split_file(str(tmp_path / "none"), "none", 10)
