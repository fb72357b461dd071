"""When each line of a session was written: by its own clock, and by the clock of the reference."""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.clocks import Clocks, PodClock
from diag.model.instants import NS_PER_S
from diag.model.ledger import Stamp
from diag.model.records import Entry
from diag.model.session import Event
from diag.session.clock import DRIFT_PPM


class Timing:
    """The clocks of one session's lines: how far they differ, and whether they show whole seconds only."""

    def __init__(self, events: Iterable[Event], clocks: Clocks) -> None:
        self._clocks = clocks
        self._known = {clock.pod: clock for clock in clocks.pods}
        self._fine = frozenset(_name_clock(event.entry) for event in events if event.time_ns % NS_PER_S)

    def ns(self, event: Event) -> int:
        """When, by the reference's clock where a difference is proved; 0 where nothing gives a time."""
        clock = self._known.get(event.entry.pod)
        return event.time_ns - clock.shift_ns if clock and event.time_ns else event.time_ns

    def stamp(self, event: Event) -> Stamp:
        """Its time with what is known of its clock."""
        if not event.entry.time_known:  # it stands where its neighbour does
            return Stamp(event.entry.ref, event.time_ns, self.ns(event), None)
        name = _name_clock(event.entry)
        grain_ns = 0 if name in self._fine else NS_PER_S
        return Stamp(name, event.time_ns, self.ns(event), self._doubt_ns(event), grain_ns)

    def _doubt_ns(self, event: Event) -> int | None:
        pod = event.entry.pod
        if pod and pod == self._clocks.reference:
            return 0
        clock = self._known.get(pod)
        off_ns = None if clock is None else _find_largest_error(clock)
        if off_ns is None:
            return None
        return off_ns + abs(event.time_ns - self._clocks.at_ns) * DRIFT_PPM // 1_000_000


def _find_largest_error(clock: PodClock) -> int | None:
    """By how much what is taken off the clock's times may be wrong; None where an end is open."""
    if clock.least_ns is None or clock.most_ns is None:
        return None
    return max(clock.most_ns - clock.shift_ns, clock.shift_ns - clock.least_ns)


def _name_clock(entry: Entry) -> str:
    """A pod has a clock; where no line names pods, a service has."""
    return entry.pod or f"service {entry.service}"
