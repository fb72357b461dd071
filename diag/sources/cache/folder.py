"""A folder of this user alone, whose files are whole or not there.

Everything goes through the folder's descriptor, which was checked: what its path means may change meanwhile.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

UNFINISHED = ".new"
"""How the name of a file ends that is being written, or was when its process was killed."""

_NO_FOLDER = (errno.ELOOP, errno.ENOTDIR)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file of the folder: its size, and when it was last used (seconds since the epoch)."""

    name: str
    size: int
    used_s: float


def find_cache_folder(environment: Mapping[str, str]) -> Path | None:
    """``diag`` below XDG_CACHE_HOME, which counts only if it is absolute, else below ``~/.cache``.

    None where there is no home.
    """
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    base = named if named.is_absolute() else Path(os.path.expanduser("~/.cache"))  # noqa: PTH111  it never raises
    return base / "diag" if base.is_absolute() else None


@contextmanager
def open_folder(path: Path, *, create: bool = False) -> Iterator[int]:
    """Its descriptor; raises `OSError` where there is none, or where it is not this user's alone."""
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
    folder = _open_itself(path)
    try:
        _check_private(folder)
        yield folder
    finally:
        os.close(folder)


def _open_itself(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise NotADirectoryError(error.errno, "it is a link or a file") from error
        raise


def _check_private(folder: int) -> None:
    facts = os.fstat(folder)
    if facts.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "it belongs to another user")
    if facts.st_mode & _OTHERS_WRITE:
        raise PermissionError(errno.EPERM, "others may write to it")
    if facts.st_mode & _OTHERS:
        os.fchmod(folder, 0o700)


def list_files(folder: int) -> tuple[FileFacts, ...]:
    """Its plain files, in the order of their names."""
    found = []
    with os.scandir(folder) as rows:
        for row in rows:
            with suppress(FileNotFoundError):  # another process took it away
                if row.is_file(follow_symlinks=False):
                    facts = row.stat(follow_symlinks=False)
                    found.append(FileFacts(row.name, facts.st_size, facts.st_mtime))
    return tuple(sorted(found, key=lambda one: one.name))


def read_file(folder: int, name: str, most_bytes: int) -> bytes:
    """A plain file's content; raises `OSError` for anything else, and for one of more than `most_bytes`."""
    # what is no plain file must neither be waited for nor followed
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(handle, "rb") as file:  # noqa: PTH123  it is a descriptor
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most_bytes:
            raise OSError(errno.EINVAL, "no file of ours")
        return file.read()


def write_file(folder: int, name: str, content: bytes) -> None:
    """All of it under `name`, or nothing, even if the process or the machine ends; raises `OSError`."""
    unfinished = f"{name}.{secrets.token_hex(8)}{UNFINISHED}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(unfinished, flags, 0o600, dir_fd=folder)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  it is a descriptor
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        remove_file(folder, unfinished)
        raise


def touch_file(folder: int, name: str) -> None:
    """It was used now."""
    with suppress(OSError, NotImplementedError):  # then it only goes earlier than it should
        os.utime(name, dir_fd=folder, follow_symlinks=False)


def remove_file(folder: int, name: str) -> None:
    """Away with it, if it is still there."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
