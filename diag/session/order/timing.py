"""When each line of a session was written: by its pod's clock, and by the clock of the reference."""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.clocks import DRIFT_PPM, Clocks, PodClock
from diag.model.events import Event
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.ledger import Stamp
from diag.model.records import Entry

_GRAINS_NS = (NS_PER_S, NS_PER_MS)


class Timing:
    """The clocks of one session's lines: how far they differ, and how finely they are written."""

    def __init__(self, events: Iterable[Event], clocks: Clocks) -> None:
        self._clocks = clocks
        self._known: dict[str, PodClock] = {one.pod: one for one in clocks.pods}
        self._grains = _find_grains(events)

    def ns(self, event: Event) -> int:
        """When, by the reference's clock where a difference is proved; 0 where nothing gives a time."""
        clock = self._known.get(event.entry.pod)
        return event.time_ns - clock.shift_ns if clock and event.time_ns else event.time_ns

    def stamp(self, event: Event) -> Stamp:
        """Its time with what is known of its clock."""
        name, least, most = _name_clock(event.entry), None, None
        if event.entry.pod and event.entry.pod == self._clocks.reference:
            least = most = 0
        elif (clock := self._known.get(event.entry.pod)) is not None:
            drift_ns = abs(event.time_ns - self._clocks.at_ns) * DRIFT_PPM // 1_000_000
            least = None if clock.least_ns is None else clock.least_ns - drift_ns
            most = None if clock.most_ns is None else clock.most_ns + drift_ns
        return Stamp(name, event.time_ns, self.ns(event), least, most, self._grains.get(name, 0))


def _name_clock(entry: Entry) -> str:
    """A pod has a clock; where no line names pods, a service has."""
    return entry.pod or f"service {entry.service}"


def _find_grains(events: Iterable[Event]) -> dict[str, int]:
    """How finely each clock is written: a logger without fractions writes whole seconds only."""
    found: dict[str, int] = {}
    for event in events:
        name = _name_clock(event.entry)
        if event.time_ns and event.entry.time_known and found.get(name) != 0:
            grain = next((ns for ns in _GRAINS_NS if event.time_ns % ns == 0), 0)
            found[name] = min(found.get(name, grain), grain)
    return found
