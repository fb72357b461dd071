"""The files of the command line, directories and standard input among them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from glob import has_magic, iglob
from itertools import islice
from pathlib import Path

from diag.errors import DataError
from diag.model.coverage import SourceCoverage, State
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.sources.files.binary import LOOK_AT, is_binary
from diag.sources.files.content import WANTED, Content, describe_others
from diag.sources.files.large import LargeFile, look_into
from diag.sources.files.parts import Part, split_file
from diag.sources.files.reading import STDIN, FileReading

SLUG = "files"

_SHOWN = 3
_WORTH = 1 << 20
"""Bytes of a file below which it is read as a whole beside large ones, too."""

_MOST_FILES = 20_000
"""Files of one folder: who gives the root of a disk by mistake shall hear of it today."""


class Files:
    """Everything in the files; a query does not narrow it. Implements `LogSource`."""

    def __init__(self, names: Sequence[str], progress: Progress = ignore) -> None:
        self._names = tuple(names)
        self._left_out = frozenset[str]()
        self._progress = progress
        self._entries = 0
        self._read = 0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._twice: list[str] = []
        self._empty: list[str] = []

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:  # noqa: ARG002  the Protocol's
        """All records, a batch for each file; of a file that a cancellation cuts what came of it."""
        for name in self._each_once:
            if name in self._left_out:
                continue
            self._progress(f"reading {show_name(name)}")
            reading = FileReading(name, show_name(name))
            try:
                content = await reading.finish()
            except asyncio.CancelledError:
                if (content := reading.so_far()).records:
                    yield self._count(replace(content, cut=False), name)
                raise
            except (OSError, DataError) as error:
                self._problems.append(explain_error(name, error))
                continue
            yield self._count(content, name)

    def split_large(self, least: int) -> tuple[LargeFile, ...]:
        """The large and regular ones among more than `least` bytes; `read` leaves them out from now on."""
        sizes = {name: _size_of(name) for name in self._each_once if name != STDIN}
        if sum(sizes.values()) <= least:
            return ()
        looked_into = (_look_into(name) for name, size in sizes.items() if size > _WORTH)
        large = tuple(file for file in looked_into if file is not None)
        self._left_out = frozenset(file.name for file in large)
        return large

    def parts(self, size: int) -> Iterator[Part]:
        """All files, each once, those of lines cut into parts of about `size` bytes."""
        for name in self._each_once:
            try:
                yield from split_file(name, show_name(name), size)
            except OSError as error:
                self._problems.append(explain_error(name, error))

    def took(
        self,
        part: Part,
        entries: int,
        *,
        cut: bool,
        problem: str,
        problems: Sequence[str] = (),
        notes: Sequence[str] = (),
        empty: bool = False,
    ) -> None:
        """What became of a part that somebody else read: why it was not, or what of it was not."""
        if problem:
            self._problems.append(problem)
            return
        self._problems += problems
        self._notes += notes
        self._read += part.start == 0
        self._entries += entries
        if empty:
            self._empty.append(part.shown)
        if cut and part.is_last:
            self._problems.append(_describe_cut(part.shown))

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        state = State.COMPLETE
        if self._problems:
            state = State.PARTIAL if self._read else State.FAILED
        return SourceCoverage(
            source=SLUG,
            state=state,
            asked=", ".join(show_name(name) for name in self._names),
            got=f"{self._read} file{'' if self._read == 1 else 's'}",
            entries=self._entries,
            notes=(*self._problems, *self._notes, *self._say_empty(), *self._say_twice()),
        )

    def _count(self, content: Content, name: str) -> tuple[LogRecord, ...]:
        self._read += 1
        self._entries += len(content.records)
        self._problems += content.problems
        self._notes += content.notes
        if content.is_empty:
            self._empty.append(show_name(name))
        if content.cut:
            self._problems.append(_describe_cut(show_name(name)))
        return content.records

    @cached_property
    def _each_once(self) -> tuple[str, ...]:
        """A file that is named twice, by whatever names, is read once: its lines would count twice."""
        seen, once = set[tuple[int, int]](), list[str]()
        for name in self._expand():
            file = _identify(name)
            if file is not None and file in seen:
                self._twice.append(show_name(name))
                continue
            if file is not None:
                seen.add(file)
            once.append(name)
        return tuple(once)

    def _expand(self) -> Iterator[str]:
        """The files, those of a folder or of a pattern that the shell left in the order of their names."""
        for given in self._names:
            for name in _match(given):
                if name != STDIN and os.path.isdir(name):  # noqa: PTH112  it answers where Path raises
                    yield from self._list(name)
                else:
                    yield name

    def _list(self, folder: str) -> Iterable[str]:
        found = list(islice(self._walk(folder), _MOST_FILES + 1))
        if len(found) > _MOST_FILES:
            self._problems.append(
                f"{show_name(folder)}: more than {_MOST_FILES:,} files, the rest was not read; give one in it"
            )
        if not found:
            self._empty.append(show_name(folder))
        names = sorted(found[:_MOST_FILES])
        others = {name for name in names if _begins_binary(name)}
        if others:
            told = describe_others(show_name(folder), sorted(map(show_name, others)))
            if len(others) < len(names):
                self._notes.append(told)
            else:
                self._problems.append(f"{told}; {WANTED}")
        return [name for name in names if name not in others]

    def _walk(self, folder: str) -> Iterator[str]:
        """Every file below, whatever it is called; a folder that can not be listed is a problem.

        A link to a folder is not followed: it may lead anywhere, and back.
        """
        for top, _, files in os.walk(folder, onerror=self._blame):
            paths = (str(Path(top, file)) for file in files)
            yield from (path for path in paths if os.path.isfile(path))  # noqa: PTH113  as above

    def _blame(self, error: OSError) -> None:
        self._problems.append(explain_error(str(error.filename), error))

    def _say_empty(self) -> Iterator[str]:
        """An export that failed leaves an empty file, or nothing in the pipe: of its lines none is missed."""
        if self._empty:
            yield f"nothing stands in {_name_some(self._empty)}; check what was to write it"

    def _say_twice(self) -> Iterator[str]:
        if self._twice:
            yield f"given more than once, and read once: {_name_some(self._twice)}"


def _name_some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _match(name: str) -> Sequence[str]:
    """The files that a pattern means which the shell left as it was; a name that is none means itself."""
    if name == STDIN or not has_magic(name) or os.path.lexists(name):
        return (name,)
    found = iglob(name, recursive=True)  # noqa: PTH207  Path takes no absolute patterns
    return sorted(islice(found, _MOST_FILES)) or (name,)


def _begins_binary(name: str) -> bool:
    """Whether a file that nobody named is no log; of one that can not be read its reader will tell."""
    try:
        with Path(name).open("rb", buffering=0) as stream:
            return is_binary(stream.read(LOOK_AT))
    except OSError:
        return False


def _look_into(name: str) -> LargeFile | None:
    """None also where it can not be read: who reads it as a whole tells why."""
    try:
        return look_into(name, show_name(name))
    except OSError:
        return None


def _size_of(name: str) -> int:
    """0 where that is not known: reading it will tell why."""
    try:
        return Path(name).stat().st_size
    except (OSError, ValueError):
        return 0


def _identify(name: str) -> tuple[int, int] | None:
    """What tells two names of one file from two files; None where that is not known."""
    try:
        found = os.fstat(sys.stdin.fileno()) if name == STDIN and sys.stdin else Path(name).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def show_name(name: str) -> str:
    """A file as coverage and references name it: text that every output can hold."""
    if name == STDIN:
        return "stdin"
    return os.fsencode(name).decode("utf-8", "replace") or '""'


def explain_error(name: str, error: OSError | DataError) -> str:
    """Why a file could not be read, and what to do, in one line."""
    if isinstance(error, DataError):
        return f"{error}; {error.hint}"
    what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
    remedy = "pipe logs into it" if name == STDIN else "check the name and your rights"
    return f"{show_name(name)}: {what}; {remedy}"


def _describe_cut(shown: str) -> str:
    return f"{shown}: ends in the middle of an object; export it again"
