from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.cri import (
    PIECE_BYTES,
    CriLine,
    Piece,
    PieceSplitter,
    format_line,
    log_path,
    parse_line,
    read_pod,
)
from pipeline.local.pods import Pod


def split(*chunks: bytes) -> list[Piece]:
    splitter = PieceSplitter()
    return [piece for chunk in chunks for piece in splitter.feed(chunk)] + splitter.finish()


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, [0]),
        (PIECE_BYTES, [PIECE_BYTES]),
        (PIECE_BYTES + 1, [PIECE_BYTES, 1]),
        (2 * PIECE_BYTES, [PIECE_BYTES, PIECE_BYTES]),
        (2 * PIECE_BYTES + 5, [PIECE_BYTES, PIECE_BYTES, 5]),
    ],
)
def test_line_over_16_kib_is_cut(length, expected):
    """All pieces but the last are partial, and no piece is longer than 16 KiB."""
    pieces = split(b"x" * length + b"\n")

    assert [len(piece.content) for piece in pieces] == expected
    assert [piece.partial for piece in pieces] == [True] * (len(expected) - 1) + [False]


def test_rest_without_newline_is_a_piece():
    """What a stream ends with is written, as a piece of a line that never ended."""
    assert split(b"one\ntw", b"o") == [Piece(b"one"), Piece(b"two", partial=True)]


def test_pieces_come_as_soon_as_they_are_full():
    """A line without end does not grow in memory: each full piece is given out at once."""
    splitter = PieceSplitter()

    pieces = splitter.feed(b"x" * (3 * PIECE_BYTES + 1))

    assert [len(piece.content) for piece in pieces] == [PIECE_BYTES] * 3


@given(st.lists(st.text("ab\n").map(str.encode)), st.integers(1, 5))
def test_chunks_do_not_matter(lines, size):
    """The same bytes give the same pieces, however they arrive."""
    data = b"".join(lines)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]

    assert split(*chunks) == split(data)


@pytest.mark.parametrize(
    "piece", [Piece(b"a line"), Piece(b'{"a": 1}', partial=True), Piece(b""), Piece(b"\r x")]
)
def test_line_is_read_back(piece):
    """Time, stream, tag and content survive the file."""
    line = format_line(1_767_225_600_000_000_001, "stderr", piece)

    assert line.endswith(b"\n")
    assert parse_line(line[:-1]) == CriLine("2026-01-01T00:00:00.000000001Z", "stderr", piece)


@pytest.mark.parametrize(
    "line",
    [b"", b"plain text", b"2026-01-01T00:00:00Z stdout X text", b"2026-01-01T00:00:00Z stdin F text"],
)
def test_other_lines_are_no_cri_lines(line):
    """A line of another form is refused, not misread."""
    assert parse_line(line) is None


def test_path_is_read_back():
    """The pod's namespace, name, UID and container stand in the path of its log."""
    pod = Pod("voice-agent", "orchestrator-5c9b7f6d84-q8wzn", "11-22", "orchestrator")
    path = log_path(Path("/var/log/pods"), pod, 3)

    assert str(path).endswith("voice-agent_orchestrator-5c9b7f6d84-q8wzn_11-22/orchestrator/3.log")
    assert read_pod(path) == pod


@pytest.mark.parametrize("path", ["pods/x/y/0.log", "pods/a_b_c/y/previous.log", "pods/a_b_c/y/0.txt"])
def test_other_paths_are_no_containers(path):
    """A file that no container runtime would have written is left alone."""
    assert read_pod(Path(path)) is None
