"""Where to look: the stretch of time that an ID's own time suggests, and whether it was enough."""

from __future__ import annotations

from diag.model.identifiers import Identifier
from diag.model.window import MINUTE_NS, Window

BEFORE_NS = MINUTE_NS
"""A client's clock may be ahead of the servers'."""

AFTER_NS = 15 * MINUTE_NS
"""Most sessions end within it; a longer one is seen at the edge, and the window is widened."""

EDGE_NS = MINUTE_NS
LONGEST_NS = 6 * 60 * MINUTE_NS

_EARLIEST_NS = 946_684_800 * 1_000_000_000  # the year 2000: what is older is no time of an ID


def plan_window(
    asked: Identifier, now_ns: int, since_ns: int | None = None, until_ns: int | None = None
) -> Window | None:
    """The window of the first query: as given, else from the time inside the ID; None if neither tells.

    It never reaches beyond now: nothing can be there yet.
    """
    minted = (
        asked.minted_ns if asked.minted_ns and _EARLIEST_NS < asked.minted_ns <= now_ns + BEFORE_NS else None
    )
    if since_ns is None and minted is None:
        return None
    start = since_ns if since_ns is not None else (minted or 0) - BEFORE_NS
    if until_ns is not None:
        end = until_ns
    else:
        end = now_ns if minted is None else min(now_ns, max(minted, start) + AFTER_NS)
    return Window(start, max(start, end))


def widen_window(window: Window, span: Window | None, now_ns: int) -> Window | None:
    """A wider window where the session (`span`) touches an edge of this one; None where it lies inside."""
    if span is None or window.end_ns - window.start_ns >= LONGEST_NS:
        return None
    start, end = window.start_ns, window.end_ns
    if span.start_ns - start < EDGE_NS // 2:
        start -= AFTER_NS
    if end < now_ns and end - span.end_ns < EDGE_NS:
        end = min(now_ns, end + (end - window.start_ns))
    wider = Window(start, end)
    return wider if wider != window else None
