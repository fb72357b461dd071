"""What only lines say of a session's own reader of a topic: whether it ran, and who ran beside it.

A media server reads reply audio once a session, all of them in one group: which of the group's readers
got a record, no offset tells.
"""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.events import Event

START, STOP = "kafka.reader_start", "kafka.reader_stop"
_STEPS = {START: 1, STOP: -1}


def find_reader_end(events: Iterable[Event]) -> int | None:
    """When the session's own readers had all ended; None while one runs, or where no line says."""
    running, ended_ns = 0, None
    for event in events:
        if event.name == START:
            running, ended_ns = running + 1, None
        elif event.name == STOP and running:
            running -= 1
            ended_ns = event.time_ns if not running else None
    return ended_ns


def count_readers_at_once(own: Iterable[Event], others: Iterable[Event]) -> int:
    """The most readers that surely ran at once on one pod while the session's own did."""
    mine = [event for event in own if event.name in _STEPS and event.entry.pod]
    orders, pods = {event.entry.order for event in mine}, {event.entry.pod for event in mine}
    both = (*mine, *(event for event in others if event.entry.order not in orders))
    return max((_count_beside(orders, [e for e in both if e.entry.pod == pod]) for pod in pods), default=0)


def _count_beside(mine: set[int], on_pod: list[Event]) -> int:
    own, others, most = 0, 0, 0
    for event in sorted(on_pod, key=lambda event: (event.time_ns, event.entry.order)):
        step = _STEPS.get(event.name, 0)
        if event.entry.order in mine:
            own = max(0, own + step)
        else:
            others = max(0, others + step)  # a stop whose start lies further back ends nobody seen here
        most = max(most, own + others if own else 0)
    return most
