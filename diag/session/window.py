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

    It never reaches beyond now, where nothing can be yet, nor beyond what is given: an ID whose own time
    contradicts it is looked for next to the bound that is given.
    """
    minted = (
        asked.minted_ns if asked.minted_ns and _EARLIEST_NS < asked.minted_ns <= now_ns + BEFORE_NS else None
    )
    if since_ns is None and minted is None:
        return None
    latest = now_ns if until_ns is None else min(now_ns, until_ns)
    start = since_ns if since_ns is not None else (minted or 0) - BEFORE_NS
    if start >= latest:
        start = latest - BEFORE_NS - AFTER_NS
    end = latest if until_ns is not None or minted is None else min(latest, max(minted, start) + AFTER_NS)
    return Window(start, max(start, end))


def widen_window(
    window: Window,
    span: Window | None,
    now_ns: int,
    since_ns: int | None = None,
    until_ns: int | None = None,
) -> Window | None:
    """A wider window where the session (`span`) touches an edge of this one; None where it lies inside.

    An edge that is given (`since_ns`, `until_ns`) never moves: it is meant as it was typed.
    """
    if span is None or window.end_ns - window.start_ns >= LONGEST_NS:
        return None
    start, end = window.start_ns, window.end_ns
    if since_ns is None and span.start_ns - start < EDGE_NS // 2:
        start -= AFTER_NS
    if until_ns is None and end < now_ns and end - span.end_ns < EDGE_NS:
        end = min(now_ns, end + (end - window.start_ns))
    wider = Window(start, end)
    return wider if wider != window else None


def clip_window(window: Window, since_ns: int | None, until_ns: int | None) -> Window:
    """What of `window` lies within the bounds that are given; an empty one at a bound where nothing does."""
    start = window.start_ns if since_ns is None else max(window.start_ns, since_ns)
    end = window.end_ns if until_ns is None else min(window.end_ns, until_ns)
    if start <= end:
        return Window(start, end)
    at = since_ns if since_ns is not None and since_ns > window.end_ns else end
    return Window(at, at)
