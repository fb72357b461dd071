"""What of the timeline a filter can match, so that a reader need not look at the rest."""

from __future__ import annotations

from diag.model.filters import And, Comparison, Filter, Op
from diag.model.instants import parse_instant

Bounds = tuple[int | None, int | None]


def time_bounds(tree: Filter) -> Bounds:
    """The first and last instant (ns, both inclusive) that can match; None: no bound on that side."""
    if isinstance(tree, And):
        low, high = None, None
        for term in tree.terms:
            lower, upper = time_bounds(term)
            low = lower if low is None or (lower is not None and lower > low) else low
            high = upper if high is None or (upper is not None and upper < high) else high
        return low, high
    if isinstance(tree, Comparison) and tree.path == ("timestamp",) and not tree.steps:
        return _bounds_of(tree.op, parse_instant(tree.value))
    return None, None


def _bounds_of(op: Op, instant: int | None) -> Bounds:
    if instant is None:
        return None, None
    match op:
        case Op.EQ:
            return instant, instant
        case Op.GE:
            return instant, None
        case Op.GT:
            return instant + 1, None
        case Op.LE:
            return None, instant
        case Op.LT:
            return None, instant - 1
        case _:
            return None, None
