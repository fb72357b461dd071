"""Files that commands write: whole or not at all. A full disk costs nothing that was there before."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LIVE = ("/dev/", "/proc/")
"""Where a name stands for something that is open, and can not be replaced."""


def write_file(text: str, path: Path) -> None:
    """Put `text` in the place of what stands at `path`, if anything does; raises `OSError`."""
    data = text.encode("utf-8", "replace")
    if not _can_replace(path):
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))  # a link stays one
    beside = target.with_name(f".diag.{os.getpid()}")
    try:
        _write_new(data, beside, 0o666)
    except PermissionError:
        path.write_bytes(data)  # the folder takes no new file, but this one may be writable
        return
    try:
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def write_new(text: str, path: Path) -> None:
    """A file that only this user may read; raises `FileExistsError`, and `OSError`."""
    _write_new(text.encode("utf-8", "replace"), path, 0o600)


def _write_new(data: bytes, path: Path, mode: int) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)  # a link is not followed
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _can_replace(path: Path) -> bool:
    """Whether another file may take its place: not a pipe's, a device's, nor one that others share."""
    if str(path).startswith(_LIVE):
        return False
    try:
        found = path.stat()
    except FileNotFoundError:
        return True
    return path.is_file() and found.st_nlink == 1 and found.st_uid == os.geteuid()
