"""Entries that do not fit into memory: frames on a private part of the disk, gone when the work is done.

What is written was redacted before: there is no other frame of entries.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from diag.errors import SourceError
from diag.model import frames

_SUFFIX = "arrow"


@contextmanager
def open_scratch() -> Iterator[Path]:
    """A folder that only this user can read (0700), removed at the end with all that it holds."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="diag-")
    except OSError as error:
        raise SourceError(
            f"no temporary folder can be made: {error.strerror}", hint="set TMPDIR to where there is room"
        ) from error
    with folder as name:
        yield Path(name)


def write_frame(folder: Path, number: int, frame: pl.DataFrame) -> None:
    """Put one frame aside; raises `SourceError` where the disk has no room."""
    try:
        frame.write_ipc(folder / f"{number}.{_SUFFIX}", compression="lz4")
    except OSError as error:
        raise SourceError(
            f"{folder}: {error.strerror or error}", hint="set TMPDIR to where there is room"
        ) from error


def read_frame(folder: Path, number: int) -> pl.DataFrame:
    """The frame that was put aside under this number."""
    return frames.check_schema(pl.read_ipc(folder / f"{number}.{_SUFFIX}"))
