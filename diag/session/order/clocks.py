"""How far the pods' clocks differ: an interval for each, from lines whose order is certain.

"`a` before `b`" says that b's clock is ahead of a's by at most what their times differ. Many such say more
together: the tightest bound between two pods is the shortest path between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

from diag.model.clocks import DRIFT_PPM, CausalPair, Clocks, Contradiction, PodClock
from diag.model.events import ORCHESTRATOR, Event
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.values import value
from diag.session.order.causality import Precedence, find_precedences

_MOST_PODS = 64
"""Pods of one session that are compared: a call passes through ten."""

_STAMP_NS = NS_PER_MS
"""Loggers cut or round their stamps to milliseconds."""


@value
class _Bound:
    """One pod's clock is ahead of another's by at most this.

    Attributes:
        widened_ns: the part of it that is for doubt.
        steps: what proves it, from pod to pod.
    """

    most_ns: int
    widened_ns: int
    steps: tuple[Precedence, ...]

    def then(self, other: _Bound) -> _Bound:
        return _Bound(
            self.most_ns + other.most_ns, self.widened_ns + other.widened_ns, self.steps + other.steps
        )

    @property
    def pairs(self) -> tuple[CausalPair, ...]:
        """The steps as something to look up."""
        return tuple(
            CausalPair(one.before.to_evidence(), one.after.to_evidence(), one.rule) for one in self.steps
        )


_Bounds = dict[tuple[str, str], _Bound]
"""(one pod, another) -> how far the other is ahead of the one at most."""


def find_clocks(events: Sequence[Event]) -> Clocks:
    """What `events` prove of their pods' clocks; the order in which they come is of no matter."""
    reference = _choose_reference(events)
    if len({event.entry.pod for event in events}) > _MOST_PODS:
        return Clocks()
    times = [event.time_ns for event in events if event.time_ns and event.entry.pod == reference]
    if not reference or not times:
        return Clocks()
    middle_ns = (min(times) + max(times)) // 2
    bounds = _to_bounds(find_precedences(events), middle_ns)
    contradictions: list[Contradiction] = []
    while (solved := _solve(bounds)) and (cycle := _find_contradiction(solved)) is not None:
        pods = tuple(step.before.entry.pod for step in cycle.steps)
        contradictions.append(Contradiction(pods, cycle.pairs))
        doubted = set(pods) - {reference}
        bounds = {ends: bound for ends, bound in bounds.items() if not doubted.intersection(ends)}
    others = sorted({pod for ends in solved for pod in ends} - {reference})
    clocks = (_to_clock(pod, solved.get((pod, reference)), solved.get((reference, pod))) for pod in others)
    known = tuple(clock for clock in clocks if clock.at_least or clock.at_most)
    return Clocks(reference, middle_ns, known, tuple(contradictions))


def _choose_reference(events: Iterable[Event]) -> str:
    """The orchestrator's pod with most of the lines, else the pod with most; the first by name of equals."""
    counts = Counter((event.side == ORCHESTRATOR, event.entry.pod) for event in events if event.entry.pod)
    best = min(counts, key=lambda one: (not one[0], -counts[one], one[1]), default=(False, ""))
    return best[1]


def _to_bounds(precedences: Iterable[Precedence], middle_ns: int) -> _Bounds:
    """The tightest pair of each two pods."""
    found: _Bounds = {}
    for one in precedences:
        ends = (one.before.entry.pod, one.after.entry.pod)
        bound = _to_bound(one, middle_ns)
        if ends not in found or _key(bound) < _key(found[ends]):  # keys: the order of reading decides nothing
            found[ends] = bound
    return found


def _to_bound(one: Precedence, middle_ns: int) -> _Bound:
    before_ns, after_ns = one.before.time_ns, one.after.time_ns
    away_ns = max(abs(before_ns - middle_ns), abs(after_ns - middle_ns))
    cut_ns = NS_PER_S if after_ns % NS_PER_S == 0 else 0  # a logger of whole seconds cuts up to one off
    widened_ns = _STAMP_NS + cut_ns + away_ns * DRIFT_PPM // 1_000_000
    return _Bound(after_ns - before_ns + widened_ns, widened_ns, (one,))


def _key(bound: _Bound) -> tuple[int, tuple[tuple[str, str, str], ...]]:
    return bound.most_ns, tuple((s.before.entry.ref, s.after.entry.ref, s.rule) for s in bound.steps)


def _solve(bounds: _Bounds) -> _Bounds:
    """Shortest paths between all pods (Floyd and Warshall); ends early where a pod is ahead of itself."""
    solved = dict(bounds)
    pods = sorted({pod for ends in bounds for pod in ends})
    for via in pods:
        for start, end in product(pods, pods):
            first, second = solved.get((start, via)), solved.get((via, end))
            if first is None or second is None or via in (start, end):
                continue
            path, known = first.then(second), solved.get((start, end))
            if known is None or path.most_ns < known.most_ns:
                solved[start, end] = path
        if _find_contradiction(solved) is not None:
            break
    return solved


def _find_contradiction(solved: _Bounds) -> _Bound | None:
    """The shortest way by which a pod's clock would be behind itself."""
    loops = {start: bound for (start, end), bound in solved.items() if start == end and bound.most_ns < 0}
    shortest = min(loops, key=lambda pod: (len(loops[pod].steps), pod), default=None)
    return None if shortest is None else loops[shortest]


def _to_clock(pod: str, back: _Bound | None, forth: _Bound | None) -> PodClock:
    """From how far the reference is ahead of the pod at most, and the pod of the reference."""
    least = None if back is None else -back.most_ns
    most = None if forth is None else forth.most_ns
    return PodClock(
        pod,
        least,
        most,
        back.pairs if back else (),
        forth.pairs if forth else (),
        _shift(least, most, back, forth),
    )


def _shift(least: int | None, most: int | None, back: _Bound | None, forth: _Bound | None) -> int:
    """The middle of an interval that excludes zero, or the only end; 0 where zero is possible.

    An only end is taken without its widening: the pair that proves it then stands in its true order.
    """
    if (least is None or least <= 0) and (most is None or most >= 0):
        return 0
    if least is not None and most is not None:
        return (least + most) // 2
    if back is not None:
        return -(back.most_ns - back.widened_ns)
    return forth.most_ns - forth.widened_ns if forth is not None else 0
