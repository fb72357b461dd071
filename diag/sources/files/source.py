"""The files of the command line, directories and standard input among them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from diag.errors import DataError
from diag.model.coverage import SourceCoverage, State
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.sources.files.content import Content, read_content

SLUG = "files"
STDIN = "-"


class Files:
    """Everything in the files; a query does not narrow it. Implements `LogSource`."""

    def __init__(self, names: Sequence[str], progress: Progress = ignore) -> None:
        self._names = tuple(names)
        self._progress = progress
        self._entries = 0
        self._read = 0
        self._problems: list[str] = []

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:  # noqa: ARG002  the Protocol's
        """All records, a batch for each file."""
        for name in self._expand():
            self._progress(f"reading {name}")
            try:
                batch = await asyncio.to_thread(_read_file, name)
            except (OSError, DataError) as error:
                self._problems.append(_explain(name, error))
                continue
            self._read += 1
            self._entries += len(batch.records)
            if batch.cut:
                self._problems.append(f"{_shown(name)}: ends in the middle of an object; export it again")
            yield batch.records

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        state = State.COMPLETE
        if self._problems:
            state = State.PARTIAL if self._read else State.FAILED
        return SourceCoverage(
            source=SLUG,
            state=state,
            asked=", ".join(_shown(name) for name in self._names),
            got=f"{self._read} file{'' if self._read == 1 else 's'}",
            entries=self._entries,
            notes=tuple(self._problems),
        )

    def _expand(self) -> Iterator[str]:
        """The files, those of a directory in the order of their names."""
        for name in self._names:
            if name != STDIN and Path(name).is_dir():
                yield from sorted(str(path) for path in Path(name).rglob("*") if path.is_file())
            else:
                yield name


def _read_file(name: str) -> Content:
    raw = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    return read_content(raw, _shown(name))


def _shown(name: str) -> str:
    return "stdin" if name == STDIN else name


def _explain(name: str, error: OSError | DataError) -> str:
    if isinstance(error, DataError):
        return f"{error}; {error.hint}"
    what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
    return f"{_shown(name)}: {what}; check the name and your rights"
