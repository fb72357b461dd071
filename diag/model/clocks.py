"""How far the pods' clocks differ, as far as lines of one session prove it."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.findings import Evidence
from diag.model.records import Entry

DRIFT_PPM = 200
"""Two quartz clocks, each 100 ppm off at worst: what is told of the middle holds less far from it."""


@dataclass(frozen=True, slots=True)
class CausalPair:
    """Two lines of which the first was written before the second, whatever their clocks say.

    Attributes:
        rule: why that is so.
    """

    before: Evidence
    after: Evidence
    rule: str


@dataclass(frozen=True, slots=True)
class PodClock:
    """One pod's clock minus the reference's, in the middle of the session.

    Attributes:
        least_ns, most_ns: the true difference lies between them; None where nothing bounds it.
        at_least, at_most: the pairs that prove each end.
        shift_ns: what is taken off its times; 0 unless the difference is proved to be none of zero.
    """

    pod: str
    least_ns: int | None
    most_ns: int | None
    at_least: tuple[CausalPair, ...] = ()
    at_most: tuple[CausalPair, ...] = ()
    shift_ns: int = 0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Pairs that no difference of clocks satisfies: a line was joined wrongly, or a clock jumped."""

    pods: tuple[str, ...]
    pairs: tuple[CausalPair, ...]


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is known of the clocks of a session's pods.

    Attributes:
        reference: the pod by whose clock the others are told; empty if no line names a pod.
        at_ns: the middle of the session by that clock.
        pods: the others for which at least one end is known, by name.
    """

    reference: str = ""
    at_ns: int = 0
    pods: tuple[PodClock, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def adjusted(self) -> tuple[PodClock, ...]:
        """Those whose times are adjusted."""
        return tuple(clock for clock in self.pods if clock.shift_ns)

    @property
    def is_notable(self) -> bool:
        """Whether a reader of times must know of them."""
        return bool(self.adjusted or self.contradictions)

    def adjust(self, entry: Entry) -> int | None:
        """When the line was written by the reference's clock; None where its own time stands."""
        shift = next((clock.shift_ns for clock in self.pods if clock.pod == entry.pod), 0)
        return entry.time_ns - shift if shift and entry.time_ns else None
