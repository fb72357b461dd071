"""Lines of a file, each an object or a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diag.model.loose_json import load_json
from diag.model.records import LogRecord
from diag.sources.files.binary import ZERO
from diag.sources.files.objects import to_data
from diag.sources.files.pieces import DOCKER, Joiner

UTF8_MARK = b"\xef\xbb\xbf"


def read_lines(data: bytes, name: str, first: int = 1) -> Iterator[LogRecord]:
    """A record for each line that is not blank; `first` is the number of the first line.

    What a container runtime cut into pieces is one record.
    """
    joiner = Joiner()
    data = data.removeprefix(UTF8_MARK)
    if ZERO in data:  # no text has any, but as half of each letter of UTF-16
        data = data.replace(ZERO, b"")
    for number, line in enumerate(data.split(b"\n"), first):
        if line.startswith(b"{") or line.strip():
            record = LogRecord(_read_line(line), f"{name}:{number}")
            if joiner.waits or _may_be_piece(line):
                yield from joiner.take(record)
            else:
                yield record
    yield from joiner.rest()


def _may_be_piece(line: bytes) -> bool:
    """Whether it begins like Docker's, or a stream is named where other runtimes do: behind the time."""
    if line.startswith(b"{"):
        return line.startswith(DOCKER)
    return b" std" in line[:48]


def _read_line(line: bytes) -> dict[str, Any] | str:
    if not (line.startswith(b"{") or line.lstrip().startswith(b"{")):
        if not line.startswith(UTF8_MARK):
            return line.rstrip(b"\r").decode("utf-8", "replace")
        return _read_line(line.removeprefix(UTF8_MARK))  # files that have one were put together
    try:
        return to_data(load_json(line))
    except ValueError:
        return line.rstrip(b"\r").decode("utf-8", "replace")  # half an object, counted as not understood
