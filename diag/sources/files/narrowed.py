"""Files too large to be read as a whole: of them a query narrows what is read, as it does with a live source.

A session's own lines are found by its IDs. What was around is found by the time that each line writes; where
that is more than can be read, the lines that place other sessions and those that name none.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import orjson

from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.identifiers import LOST_TEXTS
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.records import SESSION_ROLES, LogRecord
from diag.model.window import Window
from diag.sources.files.large import LargeFile
from diag.sources.files.lines import read_lines
from diag.sources.files.scan import Line, LineSearch
from diag.sources.files.source import Files, explain_error

MOST_AROUND = 5_000
"""Lines around a session of which all are read; of more those that a live source would be asked for."""

_MOST_CHOSEN = 10_000
"""Of these: as many as a live source's ten pages hold."""

_MOST_OWN = 200_000
"""Lines of a file that hold an ID: what so many hold is none, and all of them would fill the memory."""

_HEX = re.compile(rb"\\u[0-9a-f]{4}")

_AT_ONCE = 256
"""Blocks that are searched without looking for a cancellation: 64 MiB, some hundredths of a second."""


@dataclass(slots=True)
class _Searched:
    """What became of one file.

    Attributes:
        given: the numbers of the lines that were handed on: none is handed on twice.
        lines: that it has.
    """

    given: set[int]
    lines: int = 0
    problem: str = ""


class NarrowedFiles:
    """Large files that are searched, and others that are read as a whole with the first query.

    Implements `LogSource`.

    Attributes:
        chose: of the lines around a session not all were read.
    """

    def __init__(
        self, whole: Files, large: Sequence[LargeFile], catalogue: Catalogue, progress: Progress = ignore
    ) -> None:
        self._whole = whole
        self._large = tuple(large)
        self._searched = {file.name: _Searched(set()) for file in large}
        self._names_session = _to_pattern(catalogue)
        self._progress = progress
        self._is_first = True
        self._cut = False
        self.chose = False

    @property
    def span(self) -> Window:
        """From the first to the last time that was seen where one looked into the files."""
        spans = [file.span for file in self._large]
        return Window(min(one.start_ns for one in spans), max(one.end_ns for one in spans))

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        """What of the large files `query` asks for and was not given before; of the others everything."""
        if self._is_first:
            self._is_first = False
            async for batch in self._whole.read(query):
                yield batch
        for file in self._large:
            self._progress(f"searching {file.shown}")
            found = await self._search(file, query)
            yield tuple(record for line in found for record in self._hand_on(file, line))

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        whole = self._whole.coverage()
        problems = [one.problem for one in self._searched.values() if one.problem]
        count = sum(len(one.given) for one in self._searched.values())
        read_any = len(problems) < len(self._large) or whole.entries + count > 0
        troubled = bool(problems) or whole.state is not State.COMPLETE
        return replace(
            whole,
            state=(State.PARTIAL if read_any else State.FAILED) if troubled else State.COMPLETE,
            got=self._describe_got(whole),
            entries=whole.entries + count,
            notes=(*problems, *whole.notes, *self._describe()),
        )

    async def _search(self, file: LargeFile, query: LogQuery) -> list[Line]:
        found: list[Line] = []
        try:
            if query.ids:
                found += await self._run(file, [text for one in query.ids for text in _spell(one)])
            if query.without_ids or query.messages:
                found += await self._look_around(file, query)
        except OSError as error:
            self._searched[file.name].problem = explain_error(file.name, error)
        return found

    async def _look_around(self, file: LargeFile, query: LogQuery) -> list[Line]:
        # where a line of the session stands one looks around it, whatever was seen of the file's times
        if not self._searched[file.name].given and not query.window.overlaps(file.span):
            return []
        choice = _Choice(self._names_session, query.messages)
        await self._run(file, file.form.texts(query.window), choice.take)
        self.chose |= choice.is_narrow
        self._cut |= choice.is_cut
        return choice.lines

    async def _run(
        self, file: LargeFile, texts: Sequence[bytes], take: Callable[[list[Line]], None] | None = None
    ) -> list[Line]:
        """Search a file beside other work; a cancellation waits for a few blocks at most."""
        found: list[Line] = []
        searched, search = self._searched[file.name], LineSearch(file.name, texts)
        blocks = iter(search)
        while await asyncio.to_thread(_advance, blocks, take or found.extend):
            if len(found) > _MOST_OWN:
                told = f"more than {_MOST_OWN:,} lines hold one of the IDs; the rest was not read"
                searched.problem = f"{file.shown}: {told}"
                break
        searched.lines = search.seen
        return found

    def _hand_on(self, file: LargeFile, line: Line) -> Iterator[LogRecord]:
        given = self._searched[file.name].given
        if line.number not in given:
            given.add(line.number)
            yield from read_lines(line.data, file.shown, line.number)

    def _describe_got(self, whole: SourceCoverage) -> str:
        count = len(self._large)
        searched = f"{count} large file{'' if count == 1 else 's'} searched"
        return f"{whole.got}, {searched}" if whole.entries else searched

    def _describe(self) -> Iterator[str]:
        for file in self._large:
            one = self._searched[file.name]
            if not one.lines:
                continue
            yield (
                f"{file.shown}: {one.lines:,} lines were searched for the session's IDs, "
                f"{len(one.given):,} of them read"
            )
        if self.chose:
            yield (
                f"around the session stand more than {MOST_AROUND:,} lines: of these only such as place "
                "other sessions or name none were read"
                + (f", the first {_MOST_CHOSEN:,} of a file" if self._cut else "")
            )


class _Choice:
    """The lines around a session: all of them while they are few, then the telling ones."""

    def __init__(self, names_session: re.Pattern[bytes], messages: Sequence[str]) -> None:
        self._names_session = names_session
        self._messages = tuple(text for message in messages for text in _spell(message))
        self.lines: list[Line] = []
        self.is_narrow = False
        self.is_cut = False

    def take(self, lines: list[Line]) -> None:
        """Some more of them."""
        if self.is_narrow:
            lines = [line for line in lines if self._tells(line.data)]
            room = max(0, _MOST_CHOSEN - len(self.lines))
            self.is_cut |= len(lines) > room
            self.lines += lines[:room]
            return
        self.lines += lines
        if len(self.lines) > MOST_AROUND:
            self.is_narrow = True
            before, self.lines = self.lines, []
            self.take(before)

    def _tells(self, line: bytes) -> bool:
        return self._names_session.search(line) is None or any(text in line for text in self._messages)


def _advance(blocks: Iterator[list[Line]], take: Callable[[list[Line]], None]) -> bool:
    """Whether there may be more."""
    for _ in range(_AT_ONCE):
        lines = next(blocks, None)
        if lines is None:
            return False
        take(lines)
    return True


def _spell(text: str) -> tuple[bytes, ...]:
    """How JSON writes a text: as it is, or with letters beyond ASCII, or what HTML knows, as numbers."""
    plain, numbers = orjson.dumps(text)[1:-1], json.dumps(text)[1:-1].encode()
    spellings = (
        plain,
        plain.replace(b"/", rb"\/"),  # PHP
        _to_numbers(plain, b"<>&"),  # Go
        _to_numbers(plain, b"<>&='"),  # Gson
        numbers,
        _HEX.sub(lambda found: found[0][:2] + found[0][2:].upper(), numbers),
    )
    return tuple(dict.fromkeys(spellings))


def _to_numbers(spelled: bytes, letters: bytes) -> bytes:
    for letter in letters:
        spelled = spelled.replace(bytes([letter]), rb"\u%04x" % letter)
    return spelled


def _to_pattern(catalogue: Catalogue) -> re.Pattern[bytes]:
    """A key that holds a session's ID, and not a lost one."""
    keys = {key.rpartition(".")[2] if "/" not in key else key for key in catalogue.keys_of(*SESSION_ROLES)}
    named = b"|".join(re.escape(key.encode()) for key in sorted(keys))
    lost = b"|".join(re.escape(text.encode()) for text in sorted(LOST_TEXTS))
    return re.compile(rb'"(?:%s)"\s*:\s*"(?!(?:%s)")' % (named, lost))
