"""Windows of entries as files: sealed with a checksum, bounded in size, the least recently used gone first.

A file's name says of which question and window it is; the checksum holds for the name, too, so a file
under another's name is broken like any other. What is broken is dropped, and read anew by who needs it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path

import polars as pl

from diag.model import frames
from diag.model.window import Window
from diag.sources.cache import folder as disk
from diag.sources.cache.folder import FileFacts

_NAME = re.compile(r"([0-9a-f]{32})-(\d{1,19})-(\d{1,19})\.entries")
_MAGIC = b"diag entries\n"
_SEAL_BYTES = 32
_LONGEST_UNUSED_S = 30 * 86_400.0
"""Logs themselves are kept for 30 days where nobody says otherwise."""

_LONGEST_WRITE_S = 3600.0
"""An unfinished file of this age is nobody's any more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Entries of one window that are kept, under the name of their file."""

    name: str
    window: Window


class EntryCache:
    """The pieces of one version of diag and catalogue. A failure is no error: the last one is its `problem`.

    Args:
        path: the folder; made when something is to be kept.
        most_bytes: that all files may take together, of other versions, too.
        version: see `find_version`.
    """

    def __init__(self, path: Path, most_bytes: int, version: str) -> None:
        self.problem = ""
        self._path = path
        self._most_bytes = most_bytes
        self._version = version

    def find(self, question: str) -> tuple[Piece, ...]:
        """What is kept of a question, the earliest first."""
        key, found = self._to_key(question), []
        try:
            with disk.open_folder(self._path) as folder:
                names = [one.name for one in disk.list_files(folder)]
        except FileNotFoundError:
            return ()
        except OSError as error:
            self._give_up(error)
            return ()
        for name in names:
            match = _NAME.fullmatch(name)
            if match is not None and match[1] == key and int(match[2]) <= int(match[3]):
                found.append(Piece(name, Window(int(match[2]), int(match[3]))))
        return tuple(sorted(found, key=lambda piece: (piece.window.start_ns, piece.window.end_ns)))

    def load(self, piece: Piece) -> pl.DataFrame | None:
        """Its entries in the order in which they were read; None if it is broken, or gone meanwhile."""
        try:
            with disk.open_folder(self._path) as folder:
                try:
                    frame = _unseal(piece.name, disk.read_file(folder, piece.name, self._most_bytes))
                except OSError:
                    frame = None
                if frame is None:
                    disk.remove_file(folder, piece.name)
                else:
                    disk.touch_file(folder, piece.name)
                return frame
        except OSError as error:
            self._give_up(error)
            return None

    def keep(self, question: str, window: Window, entries: pl.DataFrame) -> None:
        """Keep what `window` has of `entries`, all of which were read; the times of all must be known."""
        if self.problem or window.start_ns < 0 or entries[frames.TIME].null_count():
            return
        name = f"{self._to_key(question)}-{window.start_ns}-{window.end_ns}.entries"
        content = _seal(name, _cut(entries, window))
        if len(content) > self._most_bytes:
            return
        try:
            with disk.open_folder(self._path, create=True) as folder:
                _make_room(folder, self._most_bytes - len(content))
                disk.write_file(folder, name, content)
                _make_room(folder, self._most_bytes)  # another process may have written meanwhile
        except OSError as error:
            self._give_up(error)

    def _to_key(self, question: str) -> str:
        return blake2b(f"{self._version}\0{question}".encode(), digest_size=16).hexdigest()

    def _give_up(self, error: OSError) -> None:
        # without its path: reports are passed on
        self.problem = f"the cache (diag in XDG_CACHE_HOME or ~/.cache) failed: {error.strerror or error}"


def _cut(entries: pl.DataFrame, window: Window) -> pl.DataFrame:
    time_ns = pl.col(frames.TIME)
    inside = entries.filter((time_ns >= window.start_ns) & (time_ns < window.end_ns)).sort(frames.ORDER)
    return inside.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(frames.ORDER))


def _seal(name: str, entries: pl.DataFrame) -> bytes:
    written = BytesIO()
    entries.write_ipc(written, compression="zstd")
    body = written.getvalue()
    return _MAGIC + _sum(name, body) + body


def _unseal(name: str, content: bytes) -> pl.DataFrame | None:
    seal_at, body_at = len(_MAGIC), len(_MAGIC) + _SEAL_BYTES
    body = content[body_at:]
    if content[:seal_at] != _MAGIC or content[seal_at:body_at] != _sum(name, body):
        return None
    try:
        return frames.check_schema(pl.read_ipc(BytesIO(body)))
    except (pl.exceptions.PolarsError, OSError, TypeError, ValueError):
        return None  # whole, and of a library that wrote it otherwise


def _sum(name: str, body: bytes) -> bytes:
    return blake2b(name.encode() + b"\0" + body, digest_size=_SEAL_BYTES).digest()


def _make_room(folder: int, most_bytes: int) -> None:
    """Remove what nobody uses any more, and then the least recently used, until the rest fits."""
    kept, now_s = [], time.time()
    for one in disk.list_files(folder):
        if _is_ours(one.name):
            if now_s - one.used_s > _longest_s(one):
                disk.remove_file(folder, one.name)
            else:
                kept.append(one)
    total = sum(one.size for one in kept)
    for one in sorted(kept, key=lambda each: each.used_s):
        if total <= most_bytes:
            return
        disk.remove_file(folder, one.name)
        total -= one.size


def _is_ours(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) or name.endswith(disk.UNFINISHED)


def _longest_s(one: FileFacts) -> float:
    return _LONGEST_WRITE_S if one.name.endswith(disk.UNFINISHED) else _LONGEST_UNUSED_S
