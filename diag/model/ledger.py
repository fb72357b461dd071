"""What a turn's time went to: parts that sum to its total, told by clocks that may differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.instants import NS_PER_MS

WAITING, BETWEEN, OVERLAP, DELIVERY, REST = "waiting", "between", "overlap", "delivery", "rest"
NO_STAGES = (WAITING, BETWEEN, OVERLAP, DELIVERY, REST)
"""The parts that are no stage: until the first stage begins, between two, taken off for what ran side by
side, until the reply was handed over, and what nothing explains."""

_EXACT_NS = 2 * NS_PER_MS
"""Two stamps cut to milliseconds: nobody calls that doubt."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a line was written: by its own clock, and by the session's reference.

    Attributes:
        clock: whose it is. Stamps of one clock differ by what passed, whatever the clock shows.
        raw_ns: as it was written.
        ns: by the reference's clock where a difference is proved, else as it was written.
        doubt_ns: how far `ns` may be off the reference's clock; None where nothing bounds that.
        grain_ns: the clock is written in steps of this, 0 if they are too small to matter.
    """

    clock: str
    raw_ns: int
    ns: int
    doubt_ns: int | None = 0
    grain_ns: int = 0


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something took, by adjusted times.

    Attributes:
        ns: below zero where the clocks are not known well enough to tell.
        doubt_ns: how far it may be off, either way; None where nothing bounds that.
    """

    ns: int
    doubt_ns: int | None = 0

    @classmethod
    def between(cls, start: Stamp, end: Stamp) -> Duration:
        """From one line to another."""
        # both are cut, so what one end loses the other wins
        grain_ns = max(start.grain_ns, end.grain_ns)
        if start.clock == end.clock:
            return cls(end.ns - start.ns, grain_ns)
        if start.doubt_ns is None or end.doubt_ns is None:
            return cls(end.ns - start.ns, None)
        return cls(end.ns - start.ns, start.doubt_ns + end.doubt_ns + grain_ns)

    def __add__(self, other: Duration) -> Duration:
        """Both together, and both doubts."""
        if self.doubt_ns is None or other.doubt_ns is None:
            return Duration(self.ns + other.ns, None)
        return Duration(self.ns + other.ns, self.doubt_ns + other.doubt_ns)

    @property
    def ms(self) -> float:
        """In milliseconds."""
        return self.ns / NS_PER_MS

    @property
    def is_exact(self) -> bool:
        """Whether it is known to the milliseconds that loggers write."""
        return self.doubt_ns is not None and self.doubt_ns <= _EXACT_NS


@dataclass(frozen=True, slots=True)
class Stage:
    """One attempt of a stage: ``stt``, ``llm``, ``tts``; `ended` None while it runs or if it never ended."""

    name: str
    begun: Stamp
    ended: Stamp | None
    state: str

    @property
    def start_ns(self) -> int:
        """Its beginning, as it was written."""
        return self.begun.raw_ns

    @property
    def end_ns(self) -> int | None:
        """Its end, as it was written."""
        return None if self.ended is None else self.ended.raw_ns

    @property
    def took(self) -> Duration | None:
        """How long it took, and how sure that is."""
        return None if self.ended is None else Duration.between(self.begun, self.ended)

    @property
    def ms(self) -> float | None:
        """How long it took."""
        took = self.took
        return None if took is None else took.ms


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the ledger: a stage's attempt, or one of the names above."""

    name: str
    took: Duration


def build_parts(
    start: Stamp, stages: Iterable[Stage], handed_over: Iterable[Stamp], end: Stamp
) -> tuple[Part, ...]:
    """What passed in a turn, in the order of time.

    The parts go from stamp to stamp, so they sum to the total whatever the clocks show; nothing is
    clamped. A stage that never ended lies in the rest, which is always there and comes last.

    Args:
        start: the end of the caller's speech.
        stages: their order does not matter.
        handed_over: when the reply was, each time.
        end: of the turn's work.
    """
    parts: list[Part] = []
    reached = start
    for stage, ended in _ended(stages):
        if not parts or stage.begun.ns > reached.ns:
            parts.append(Part(BETWEEN if parts else WAITING, Duration.between(reached, stage.begun)))
            reached = stage.begun
        until = min(reached, ended, key=_adjusted)
        if until.ns != stage.begun.ns:
            parts.append(Part(OVERLAP, Duration.between(until, stage.begun)))
        parts.append(Part(stage.name, Duration.between(stage.begun, ended)))
        reached = max(reached, ended, key=_adjusted)
    last = max((one for one in handed_over if reached.ns < one.ns <= end.ns), key=_adjusted, default=None)
    if parts and last is not None:
        parts.append(Part(DELIVERY, Duration.between(reached, last)))
        reached = last
    return (*parts, Part(REST, Duration.between(reached, end)))


def _ended(stages: Iterable[Stage]) -> list[tuple[Stage, Stamp]]:
    """The stages that ended, in the order in which they began."""
    found = [(stage, stage.ended) for stage in stages if stage.ended is not None]
    return sorted(found, key=lambda one: (one[0].begun.ns, one[1].ns))


def _adjusted(stamp: Stamp) -> int:
    return stamp.ns
