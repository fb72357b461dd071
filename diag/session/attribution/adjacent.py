"""Lines that stand right before or behind a line of their session, on the same pod."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.session.attribution.scene import latest_ns, says_same

NEAR_NS = NS_PER_S // 4
"""What one function writes in a row stands within milliseconds, a pause of the process aside."""

_MOST_WAITING = 50
"""Lines that wait for their partner on one pod at a time; beyond it nothing can be told."""

Pairs = list[tuple[Event, list[Event]]]
"""A line, and the landmarks that it may belong to."""


def find_partners(lines: Iterable[Event], landmarks: Iterable[Event], *, before: bool) -> Pairs:
    """For each line of one pod the landmarks that it may stand right before (or behind).

    A line and a landmark that can only belong to each other are taken for settled: neither is
    anybody else's partner.
    """
    lines = tuple(lines)
    first, second = (lines, landmarks) if before else (landmarks, lines)
    found: defaultdict[int, list[Event]] = defaultdict(list)
    waiting = _Waiting()
    for is_second, event in _in_order(first, second):
        if not is_second:
            waiting.add(event)
            continue
        for partner in waiting.match(event):
            line, landmark = (partner, event) if before else (event, partner)
            found[line.entry.order].append(landmark)
    return [(line, found[line.entry.order]) for line in lines]


def _in_order(first: Iterable[Event], second: Iterable[Event]) -> Iterator[tuple[bool, Event]]:
    """By time; of one time those that come first before those that follow, however they were read."""
    marked = [*((False, event) for event in first), *((True, event) for event in second)]
    yield from sorted(
        marked, key=lambda one: (one[1].time_ns, one[0], one[1].entry.message, one[1].entry.ref)
    )


class _Waiting:
    """What still waits for what follows it."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._followed = 0

    def add(self, event: Event) -> None:
        self._forget(event.time_ns)
        self._events = [*self._events[-_MOST_WAITING:], event]

    def match(self, follower: Event) -> Sequence[Event]:
        """Those that it may follow."""
        self._forget(follower.time_ns)
        if len(self._events) > _MOST_WAITING:
            return ()
        fitting = [one for one in self._events if _may_be_one(one, follower)]
        sure = [one for one in fitting if _share(one, follower) or _is_same(one, follower)]
        fitting = sure or fitting
        if len(fitting) == 1:
            self._events.remove(fitting[0])
        elif fitting:
            self._followed += 1
            if self._followed >= len(self._events):  # each has its partner, whichever that is
                self._events, self._followed = [], 0
        return fitting

    def _forget(self, time_ns: int) -> None:
        self._events = [one for one in self._events if time_ns - latest_ns(one) <= NEAR_NS]
        self._followed = self._followed if self._events else 0


def _share(one: Event, other: Event) -> bool:
    """Whether both name one connection or trace."""
    return any(
        set(one.entry.ids_in(role)) & set(other.entry.ids_in(role)) for role in ("trace", "connection")
    )


def _may_be_one(one: Event, other: Event) -> bool:
    """No two connections, traces or contents speak against it."""
    if _is_same(one, other) is False:
        return False
    return _share(one, other) or not any(
        one.entry.ids_in(role) and other.entry.ids_in(role) for role in ("trace", "connection")
    )


def _is_same(one: Event, other: Event) -> bool | None:
    """One of them is the line, the other a landmark, which has no ``same`` of its own."""
    line, landmark = (one, other) if one.same else (other, one)
    return says_same(line, (landmark,))
