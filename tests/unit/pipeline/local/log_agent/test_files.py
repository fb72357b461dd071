from __future__ import annotations

import pytest

from pipeline.local.log_agent.files import BATCH_BYTES, BATCH_LINES, LogFiles


@pytest.fixture
def write(tmp_path):
    """`write(text, pod="a", restart=0)`: appends to a log file."""

    def append(text, pod="a", restart=0):
        path = tmp_path / pod / "container" / f"{restart}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(text)
        return path

    return append


def take(files):
    """The contents of one batch, which is committed."""
    batch = files.read()
    files.commit(batch)
    return [line.content for line in batch.lines]


def test_only_whole_lines_are_read(tmp_path, write):
    """A line that is still being written is read when its newline is there, and not before."""
    files = LogFiles(tmp_path)
    write(b"one\ntw")
    assert take(files) == [b"one"]
    assert take(files) == []

    write(b"o\n")

    assert take(files) == [b"two"]


def test_offsets_are_those_of_the_file(tmp_path, write):
    """Each line knows where it begins, whatever bytes it and its neighbours have."""
    write(b"one\n\n")
    files = LogFiles(tmp_path)
    first = files.read()
    files.commit(first)
    write(b"a\rb\x0b\n\xc3\xa4\n")

    lines = first.lines + files.read().lines

    assert [(line.offset, line.content) for line in lines] == [
        (0, b"one"),
        (4, b""),
        (5, b"a\rb\x0b"),
        (10, b"\xc3\xa4"),
    ]


def test_uncommitted_batch_is_read_again(tmp_path, write):
    """What was not sent is not lost."""
    write(b"one\n")
    files = LogFiles(tmp_path)

    assert [line.content for line in files.read().lines] == [b"one"]
    assert [line.content for line in files.read().lines] == [b"one"]


def test_new_pods_and_restarts_are_found(tmp_path, write):
    """A pod that comes later, and the next file of a container that restarts, are followed."""
    files = LogFiles(tmp_path)
    write(b"one\n")
    assert take(files) == [b"one"]

    write(b"three\n", pod="b")
    write(b"two\n", restart=1)

    assert take(files) == [b"two", b"three"]


def test_no_folder_yet(tmp_path):
    """Before the first pod there is nothing to read, and no error."""
    assert LogFiles(tmp_path / "none").read().lines == []


def test_batches_are_bounded_in_lines(tmp_path, write):
    """Many short lines come in several batches, none lost, none twice."""
    write(b"".join(b"%d\n" % number for number in range(BATCH_LINES + 5)))
    write(b"b\n" * BATCH_LINES, pod="b")
    files = LogFiles(tmp_path)

    batches = [take(files) for _ in range(4)]

    assert [len(batch) for batch in batches] == [BATCH_LINES, BATCH_LINES, 5, 0]
    assert [*batches[0], *batches[1][:5]] == [b"%d" % number for number in range(BATCH_LINES + 5)]


def test_batches_are_bounded_in_bytes(tmp_path, write):
    """Many long lines come in several batches, each of which one request can carry."""
    line = b"x" * 16_000
    write((line + b"\n") * 300)
    files = LogFiles(tmp_path)
    sizes = []
    while batch := take(files):
        sizes.append(sum(len(content) + 1 for content in batch))

    assert sum(sizes) == 300 * 16_001
    assert max(sizes) <= BATCH_BYTES


def test_line_of_a_foreign_file_may_be_long(tmp_path, write):
    """A line that is longer than what is left of a batch is read whole all the same."""
    write(b"a" * (BATCH_BYTES - 10) + b"\n")
    write(b"b" * 1000 + b"\n", pod="b")
    files = LogFiles(tmp_path)

    assert [len(content) for content in take(files)] == [BATCH_BYTES - 10, 1000]
