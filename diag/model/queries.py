"""What is asked of a source of log entries, in no source's own language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from diag.model.coverage import SourceCoverage
from diag.model.filters import Filter
from diag.model.records import LogRecord
from diag.model.window import Window


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Entries of `window` that mention one of `ids`, or say one of `messages`, or name no session.

    Attributes:
        messages: exact messages that place other sessions (a query of the surroundings).
        events: what the cluster tells of its objects, instead of what their containers wrote.
        without_ids: also entries that name no session, or a lost one.
        where: a further condition that the entries meet; a source that reads all leaves it to its reader.
        max_pages: what this query may spend; None: as the settings say.
        what: in words, for coverage and progress.
    """

    window: Window
    ids: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    without_ids: bool = False
    events: bool = False
    where: Filter | None = None
    max_pages: int | None = None
    what: str = ""


class LogSource(Protocol):
    """A source of log entries.

    `read` yields batches as they come. What it could not give is no exception: it stands in
    `coverage`, which is complete once the last iteration has ended.
    """

    def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        """The entries of `query`, oldest first."""
        ...

    def coverage(self) -> SourceCoverage:
        """What was asked and what came, of all reads so far."""
        ...


@runtime_checkable
class LastingSource(LogSource, Protocol):
    """A source that gives the same entries again for a window that has settled, so that they can be kept."""

    def identify(self, query: LogQuery) -> str:
        """All that the answer depends on, but for the window."""
        ...

    def gave_all(self, query: LogQuery) -> bool:
        """Whether `query` was read to its end."""
        ...

    def credit(self, window: Window, entries: int) -> None:
        """Count what an earlier run had read of `window`, so that it was not asked for."""
        ...

    def note(self, text: str) -> None:
        """Something that the reader of the coverage must know."""
        ...
