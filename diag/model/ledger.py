"""What a turn's time went to: parts that sum to its total, on clocks that may differ."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.values import value

TRANSPORT, BETWEEN, DELIVERY, PLAYING, UNACCOUNTED = (
    "transport",
    "between",
    "delivery",
    "playing",
    "unaccounted",
)
"""The parts that are no stage: before the first one, between them, to the caller, its playing, the rest."""

_EXACT_NS = 2 * NS_PER_MS
"""Two stamps that were cut to milliseconds: nobody calls that doubt."""


@value
class Stamp:
    """When a line was written: by its own clock, and by the session's reference.

    Attributes:
        clock: whose clock it is; stamps of one clock differ by what passed between them.
        raw_ns: as it was written.
        ns: by the reference's clock where a difference is proved, else as it was written.
        ahead_least_ns, ahead_most_ns: how far its clock is ahead of the reference's; None: nothing bounds it.
        grain_ns: the clock's stamps are cut to this, so the line was written up to this much later.
    """

    clock: str
    raw_ns: int
    ns: int
    ahead_least_ns: int | None = 0
    ahead_most_ns: int | None = 0
    grain_ns: int = 0


@value
class Duration:
    """How long something took, and what the lines allow.

    Attributes:
        ns: by adjusted times; negative where the clocks are not known well enough to tell.
        least_ns, most_ns: the truth lies between them; None where nothing bounds it.
    """

    ns: int
    least_ns: int | None
    most_ns: int | None
    is_coarse: bool = False

    @classmethod
    def between(cls, start: Stamp, end: Stamp) -> Duration:
        """From one line to another."""
        apart_ns, least, most = end.ns - start.ns, None, None
        if start.clock == end.clock:
            least, most = end.raw_ns - start.raw_ns, end.raw_ns - start.raw_ns
        else:
            if end.ahead_most_ns is not None and start.ahead_least_ns is not None:
                least = end.raw_ns - end.ahead_most_ns - (start.raw_ns - start.ahead_least_ns)
            if end.ahead_least_ns is not None and start.ahead_most_ns is not None:
                most = end.raw_ns - end.ahead_least_ns - (start.raw_ns - start.ahead_most_ns)
        return cls(
            apart_ns,
            None if least is None else least - start.grain_ns,
            None if most is None else most + end.grain_ns,
            max(start.grain_ns, end.grain_ns) >= NS_PER_S,
        )

    def __add__(self, other: Duration) -> Duration:
        """Both together; doubts add up."""
        return Duration(
            self.ns + other.ns,
            None if self.least_ns is None or other.least_ns is None else self.least_ns + other.least_ns,
            None if self.most_ns is None or other.most_ns is None else self.most_ns + other.most_ns,
            self.is_coarse or other.is_coarse,
        )

    @property
    def ms(self) -> float:
        """In milliseconds."""
        return self.ns / NS_PER_MS

    @property
    def is_exact(self) -> bool:
        """Whether it is known to the milliseconds that loggers write."""
        if self.least_ns is None or self.most_ns is None:
            return False
        return self.most_ns - self.least_ns <= _EXACT_NS


NOTHING = Duration(0, 0, 0)


@value
class Part:
    """One line of the ledger.

    Attributes:
        name: a stage's (one line an attempt), or one of the names above.
        took: its share of the total: time that an earlier part has counted already is not in it.
        beside: what of a stage passed beside an earlier one, and is counted there.
    """

    name: str
    took: Duration
    beside: Duration = NOTHING


@dataclass(frozen=True, slots=True)
class Ledger:
    """A turn's time.

    Attributes:
        total: from the end of the speech to the end of the turn's work.
        parts: in order, what is unaccounted last; their `took` sum to the total's, to the nanosecond.
        after: how long after the turn's end the reply had been played, where a line tells that.
    """

    total: Duration
    parts: tuple[Part, ...]
    after: Duration | None = None

    def sum_of(self, *names: str) -> Duration | None:
        """The parts of these names together; None if there are none."""
        found = [part.took for part in self.parts if part.name in names]
        return sum(found[1:], found[0]) if found else None
