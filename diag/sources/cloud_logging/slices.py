"""How the rest of a window is cut once a page was full: its parts can be asked for side by side. Pure."""

from __future__ import annotations

from itertools import pairwise

from diag.model.window import Window

MOST_SLICES = 8
"""Eight at once are seven times as fast as one after the other, and cost at most seven requests more."""


def cut_rest(window: Window, first_ns: int, last_ns: int) -> tuple[Window, ...]:
    """What comes after a full page, in slices of about a page each, as far as the page tells.

    Empty where one more page may be all: then slices would only cost.

    Args:
        window: all that is read.
        first_ns: the page's earliest entry.
        last_ns: its latest; the first slice begins there, since more may have this time.
    """
    left_ns, page_ns = window.end_ns - last_ns, max(1, last_ns - first_ns)
    count = min(MOST_SLICES, -(-left_ns // page_ns))
    if count < 2:
        return ()
    bounds = [last_ns + left_ns * number // count for number in range(count + 1)]
    return tuple(Window(start, end) for start, end in pairwise(bounds) if start < end)
