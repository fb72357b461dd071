"""``--where``: a further filter of what is read. Cloud Logging applies it itself; to all else it is here.

The filter is never repeated in an answer: what is sought by it may be what redaction keeps out of reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from diag.errors import UsageError
from diag.lql import compile_filter, to_text
from diag.model.filters import Filter
from diag.model.queries import LastingSource, LogSource
from diag.model.records import LogRecord
from diag.normalise import to_entry

LONGEST_WHERE = 10_000
"""Characters: beside it a query needs room for the session's IDs, in all 20,000."""

NARROWED = "--where narrowed what was read: of what is absent here nothing is concluded"

Matches = Callable[[LogRecord], bool]


def check_where(where: Filter | None) -> None:
    """Refuse what leaves a query no room; raises `UsageError`."""
    length = 0 if where is None else len(to_text(where))
    if length > LONGEST_WHERE:
        raise UsageError(
            f"--where has {length} characters written out, more than {LONGEST_WHERE}",
            hint="leave out the window and the IDs of the session: these are asked for anyway",
        )


def is_left_to_us(source: LogSource) -> bool:
    """Whether a source gives what does not match, too: only a service with the language reads a filter."""
    return not isinstance(source, LastingSource)


def compile_where(where: Filter) -> Matches:
    """Whether a record matches, as Cloud Logging would find it."""
    matches = compile_filter(where)
    return lambda record: matches(to_entry(record))


def keep_matching(records: Iterable[LogRecord], where: Filter | None) -> Iterable[LogRecord]:
    """The records that match; all where there is no filter."""
    return records if where is None else filter(compile_where(where), records)
