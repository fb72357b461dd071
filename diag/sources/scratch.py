"""Entries that do not fit into memory: frames on a private part of the disk, gone when the work is done.

What is written was redacted before: there is no other frame of entries.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from diag.errors import SourceError
from diag.model import frames

_SUFFIX = "arrow"
_LOCK = "lock"
_OURS = re.compile(r"diag-[0-9]+-[a-z0-9_]{8}")
_open: set[Path] = set()


@contextmanager
def open_scratch() -> Iterator[Path]:
    """A folder that only this user can read (0700), removed at the end with all that it holds.

    Those of runs that were killed are removed first. Raises `SourceError` where none can be made.
    """
    with suppress(OSError):
        _remove_stale(Path(tempfile.gettempdir()))
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"diag-{os.getpid()}-"))
    except OSError as error:
        raise SourceError(
            f"no temporary folder can be made: {error.strerror}", hint="set TMPDIR to where there is room"
        ) from error
    lock = _lock(folder)
    _open.add(folder)
    try:
        yield folder
    finally:
        remove_open(folder)
        if lock is not None:
            os.close(lock)


def remove_open(*folders: Path) -> None:
    """Remove these folders, or all that this process has open: it is about to end."""
    for folder in folders or tuple(_open):
        shutil.rmtree(folder, ignore_errors=True)
        _open.discard(folder)


def _lock(folder: Path) -> int | None:
    """Show that the folder is in use, until this process ends in whatever way; None: here one can not.

    The file gets its name only once it is locked, so that nobody finds it in between.
    """
    try:
        lock = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / "new").rename(folder / _LOCK)
    except OSError:
        os.close(lock)
        return None
    return lock


def _remove_stale(parent: Path) -> None:
    """Remove the folders whose owners were killed: ours by name, owner and lock, and nobody holds that."""
    for folder in parent.iterdir():
        if _OURS.fullmatch(folder.name):
            with suppress(OSError):  # it is another user's, or was removed by another run meanwhile
                _remove_if_stale(folder)


def _remove_if_stale(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # another run may have removed it, and its name may be in use again
        if os.path.samestat(os.fstat(lock), os.lstat(folder / _LOCK)):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


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
