"""Everything that lies in the window, put aside in frames that each fit into memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import reduce
from itertools import count
from pathlib import Path

from diag.app.bounds import describe_bounds
from diag.app.coverage import LEAST_LAG_NS, Unparsed, cover_entries
from diag.app.entries import INTERRUPTED
from diag.app.many.intake import Digest, IntakeJob, take_in, take_in_frame, take_in_part
from diag.app.many.workers import Workers, count_cores
from diag.app.recall import Recall
from diag.app.request import SessionsRequest
from diag.app.where import NARROWED, is_left_to_us
from diag.errors import DataError
from diag.model.coverage import SourceCoverage, State
from diag.model.filters import Filter
from diag.model.queries import LogQuery, LogSource
from diag.model.records import LogRecord
from diag.model.settings import WorkSettings
from diag.model.window import Window
from diag.sources import scratch
from diag.sources.files import STDIN, FileReading, Files, Part, explain_error

_MB = 1 << 20
_PROCESS_MB = 130
"""What a process takes before it has read anything: the interpreter and the frame library."""

_LARGEST_PART_MB = 8
_PART_TAKES = 24
"""Bytes of memory for each byte of logs that is read: decoded objects, then columns."""

_LINE_TAKES = 10_000
"""Bytes of memory for each line of a session that is judged: an event and its place in the indexes."""

_BATCH_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Room:
    """What each process may have in memory at once.

    Attributes:
        part_bytes: of logs that are read.
        shard_lines: of sessions that are judged together.
    """

    processes: int
    part_bytes: int
    shard_lines: int


def share_out(settings: WorkSettings) -> Room:
    """The memory of the settings, for as many processes as fit into it."""
    wanted = settings.processes or count_cores()
    processes = max(1, min(wanted, settings.memory_mb // (2 * _PROCESS_MB) - 1))
    free = max(settings.memory_mb - _PROCESS_MB * (processes + 1), _PROCESS_MB) * _MB // processes
    return Room(processes, min(free // _PART_TAKES, _LARGEST_PART_MB * _MB), free // _LINE_TAKES)


def ask_for_all(window: Window, where: Filter | None = None) -> LogQuery:
    """The query for every line of a live source."""
    return LogQuery(window, where=where, what="all sessions")


class Intake:
    """Reads files side by side, or a live source batch by batch; what it could not read it tells."""

    def __init__(
        self, request: SessionsRequest, source: LogSource, folder: Path, recall: Recall | None = None
    ) -> None:
        self.digests: list[Digest] = []
        self.interrupted = False
        self._request = request
        self._source = source
        self._folder = folder
        self._recall = recall or Recall(source, request.now_ns)
        self._numbers = count()

    async def read(self, window: Window, parts: Iterable[Part], workers: Workers) -> None:
        """All of `parts`, or of a live source what lies in `window`; a cancellation keeps what came."""
        try:
            if isinstance(self._source, Files):
                await self._read_parts(self._source, parts, workers)
            else:
                await self._read_batches(window)
        except asyncio.CancelledError:
            if not self.digests:
                raise
            self.interrupted = True

    async def _read_parts(self, files: Files, parts: Iterable[Part], workers: Workers) -> None:
        parts = tuple(parts)
        piped = [part for part in parts if part.name == STDIN]
        jobs = [(self._job(), part) for part in parts if part.name != STDIN]
        for part in piped:
            self._take(files, part, await self._read_pipe(part))
        async with aclosing(workers.each(_take_in_part, jobs)) as digests:
            done = iter(jobs)
            async for digest in digests:
                _, part = next(done)
                self._request.progress(f"reading {part.shown}")
                self._take(files, part, digest)

    def _take(self, files: Files, part: Part, digest: Digest) -> None:
        entries = digest.entries + digest.left_out
        files.took(
            part,
            entries,
            cut=digest.cut,
            problem=digest.problem,
            problems=digest.problems,
            notes=digest.notes,
            empty=digest.empty,
        )
        self.digests.append(digest)

    async def _read_pipe(self, part: Part) -> Digest:
        """Standard input, in this process: no other one has it."""
        job = self._job()
        try:
            content = await FileReading(part.name, part.shown).finish()
        except (OSError, DataError) as error:
            return Digest(job.number, problem=explain_error(part.shown, error))
        digest = take_in(job, content.records)
        return replace(
            digest, cut=content.cut, empty=content.is_empty, problems=content.problems, notes=content.notes
        )

    async def _read_batches(self, window: Window) -> None:
        for stretch in self._recall.divide(ask_for_all(window, self._request.where)):
            kept = self._recall.load(stretch)
            if kept is None:
                await self._ask(stretch.query)
            elif kept.height:
                self.digests.append(take_in_frame(self._job(), kept))

    async def _ask(self, query: LogQuery) -> None:
        first, waiting = len(self.digests), list[LogRecord]()
        try:
            async for batch in self._source.read(query):
                waiting += batch
                if len(waiting) >= _BATCH_ENTRIES:
                    self.digests.append(take_in(self._job(), waiting))
                    waiting = []
        finally:
            if waiting:
                self.digests.append(take_in(self._job(), waiting))
        read = self.digests[first:]
        self._recall.keep(query, (scratch.read_frame(self._folder, digest.number) for digest in read))

    def _job(self) -> IntakeJob:
        bounds = self._request.bounds if self._request.files else (None, None)
        where = self._request.where if is_left_to_us(self._source) else None
        files = self._request.settings.catalogue.files
        return IntakeJob(self._folder, next(self._numbers), files, bounds, where)

    def coverage(self) -> SourceCoverage:
        """The source's own account, and what became of it here."""
        source = self._source.coverage()
        entries = sum(digest.entries for digest in self.digests)
        unparsed = reduce(Unparsed.joined, (digest.unparsed for digest in self.digests), Unparsed())
        source = replace(source, notes=(*source.notes, *self._left_out(entries)))
        if self._request.where is not None:
            source = replace(
                source,
                state=State.PARTIAL if source.state is State.COMPLETE else source.state,
                notes=(NARROWED, *source.notes),
            )
        if self.interrupted:
            source = replace(source, state=State.PARTIAL, notes=(INTERRUPTED, *source.notes))
        return cover_entries(source, entries, unparsed, self.lag_ns)

    @property
    def lag_ns(self) -> int:
        """The longest that an entry took to be readable."""
        return max((digest.lag_ns for digest in self.digests), default=LEAST_LAG_NS)

    def _left_out(self, entries: int) -> Iterable[str]:
        left_out = sum(digest.left_out for digest in self.digests)
        if left_out:
            where = describe_bounds(self._request.bounds)
            yield f"{left_out} of {left_out + entries} entries lie outside of {where} and were left out"


def _take_in_part(job: tuple[IntakeJob, Part]) -> Digest:
    return take_in_part(*job)
