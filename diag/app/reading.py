"""Which entries to ask for: the session's own until its links lead to nothing new, then what was around."""

from __future__ import annotations

from collections.abc import Iterable

from diag.app.entries import Entries
from diag.app.request import SessionRequest
from diag.errors import UsageError
from diag.model import frames
from diag.model.identifiers import Identifier
from diag.model.queries import LogQuery
from diag.model.records import KafkaRecord
from diag.model.window import MINUTE_NS, Window
from diag.session.surroundings import ANCHOR_EVENTS
from diag.session.window import clip_window, plan_window, widen_window

MOST_ROUNDS = 6
_EVER = Window(0, (1 << 63) - 1)
_SURROUNDINGS_PAGES = 10
_LONGEST_NAMED = 120


async def read_files(entries: Entries, request: SessionRequest) -> Window | None:
    """The files' entries within --since and --until; the window is what of these the files' lines span.

    None where no line has a time.
    """
    await entries.read(LogQuery(Window(0, 0)))
    times = entries.frame[frames.TIME]
    first, last = times.min(), times.max()
    if request.bounds != (None, None):
        entries.narrow(request.bounds)
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    return clip_window(Window(first, last + 1), *request.bounds)


async def read_searched(
    entries: Entries,
    asked: Identifier,
    request: SessionRequest,
    span: Window,
    records: Iterable[KafkaRecord] = (),
) -> Window:
    """The session's lines among files too large to be read; the window is what --since and --until leave.

    IDs are searched for in all of a file, whatever the time.
    """
    await read_linked(entries, asked, _EVER, request, records)
    own = entries.members_of(asked, records)[1]
    return clip_window(span.union(own) if own else span, *request.bounds)


async def read_live(entries: Entries, asked: Identifier, request: SessionRequest) -> Window:
    """The session's entries; the window is the last one that was searched."""
    window = plan_window(asked, request.now_ns, *request.bounds)
    if window is None:
        raise UsageError(
            f"{asked.text[:80]!r} has no time in it, so there is no telling where to look",
            hint="add --since (2h, or 2026-11-24T13:00Z), or give log files",
        )
    return await read_linked(entries, asked, window, request)


async def read_linked(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord] = (),
) -> Window:
    """The entries of all IDs that lines or `records` tie to the session, until nothing is left to ask.

    Gives the window that was searched at last.
    """
    records = tuple(records)
    for _ in range(MOST_ROUNDS):
        query = _next_query(entries, asked, window, request, records)
        if query is None:
            return window
        await entries.read(query)
        window = query.window
    query = _next_query(entries, asked, window, request, records)
    if query is not None:
        what = f"{', '.join(query.ids)[:_LONGEST_NAMED]} in {query.window.to_text()}"
        entries.tell(f"stopped after {MOST_ROUNDS} rounds of reading; not read: {what}")
    return window


def _next_query(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord],
) -> LogQuery | None:
    """The ID, then what it is linked to, then a wider window where the session touches its edge."""
    if entries.interrupted:
        return None
    closure = entries.close_over(asked, records)
    # only their own lines tell whether a mapping to them holds
    needed = closure.members | closure.mapped
    wanted = needed - entries.queried(window)
    if not wanted:
        wider = widen_window(window, entries.span_of(closure.members), request.now_ns, *request.bounds)
        if wider is None:
            return None
        window, wanted = wider, needed - entries.queried(wider)
    return LogQuery(window, ids=tuple(sorted(wanted)), what="the session") if wanted else None


async def read_surroundings(
    entries: Entries,
    asked: Identifier,
    window: Window,
    request: SessionRequest,
    records: Iterable[KafkaRecord] = (),
) -> None:
    """Other sessions' first lines, and lines that name none: what silence and partners are judged by."""
    _, span = entries.members_of(asked, records)
    around = clip_window(span.around(MINUTE_NS), *request.bounds) if span else window
    window = Window(around.start_ns, max(around.start_ns, min(around.end_ns, request.now_ns)))
    anchors = entries.catalogue.messages_of(*ANCHOR_EVENTS)
    await entries.read(
        LogQuery(
            window, (), anchors, without_ids=True, max_pages=_SURROUNDINGS_PAGES, what="the surroundings"
        )
    )
