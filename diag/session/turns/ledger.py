"""Stamps of a turn -> its ledger: every nanosecond of the total in one part, and in one only.

The parts go from stamp to stamp along one line, so they sum to the total whatever the clocks show. Nothing is
clamped: where the speech ended on a clock of which little is known, the way to the first stage may come out
negative, and says how far it may be off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diag.model.events import Event
from diag.model.ledger import (
    BETWEEN,
    DELIVERY,
    NOTHING,
    PLAYING,
    TRANSPORT,
    UNACCOUNTED,
    Duration,
    Ledger,
    Part,
    Stamp,
)
from diag.model.turns import Stage
from diag.session.order.timing import Timing

_HANDED_OVER = ("bcast.delivered", "reply.published")
PLAYED = "reply.played"
_ON_ITS_WAY = (*_HANDED_OVER, PLAYED)


def build_ledger(
    start: Stamp, end: Stamp, stages: Sequence[Stage], steps: Iterable[Event], timing: Timing
) -> Ledger:
    """What passed between the end of the speech (`start`) and the turn's `end`."""
    written = [(step.name, timing.stamp(step)) for step in steps if step.name in _ON_ITS_WAY]
    parts, reached = _walk_stages(start, stages)
    if parts:
        for name, kinds in ((DELIVERY, _HANDED_OVER), (PLAYING, (PLAYED,))):
            to = _find_last([one for kind, one in written if kind in kinds], reached, end)
            if to is not None:
                parts.append(Part(name, Duration.between(reached, to)))
                reached = to
    played = [one for kind, one in written if kind == PLAYED and one.ns > end.ns]
    return Ledger(
        Duration.between(start, end),
        (*parts, Part(UNACCOUNTED, Duration.between(reached, end))),
        Duration.between(end, max(played, key=lambda one: one.ns)) if played else None,
    )


def _walk_stages(start: Stamp, stages: Sequence[Stage]) -> tuple[list[Part], Stamp]:
    """The parts up to the end of the last stage that ended, and that end."""
    parts: list[Part] = []
    reached = start
    for stage in sorted(stages, key=lambda stage: stage.begun.ns):
        if stage.ended is None:
            continue
        if not parts or stage.begun.ns > reached.ns:
            parts.append(Part(BETWEEN if parts else TRANSPORT, Duration.between(reached, stage.begun)))
            reached = stage.begun
        took, beside = _share(stage.begun, stage.ended, reached)
        parts.append(Part(stage.name, took, beside))
        reached = max(reached, stage.ended, key=lambda stamp: stamp.ns)
    return parts, reached


def _share(begun: Stamp, ended: Stamp, reached: Stamp) -> tuple[Duration, Duration]:
    """What of a stage is its own, and what passed beside those before it."""
    if ended.ns <= reached.ns:
        return NOTHING, Duration.between(begun, ended)
    if begun.ns < reached.ns:
        return Duration.between(reached, ended), Duration.between(begun, reached)
    return Duration.between(begun, ended), NOTHING


def _find_last(stamps: Iterable[Stamp], after: Stamp, end: Stamp) -> Stamp | None:
    """The last of them behind one stamp and not behind another."""
    within = [one for one in stamps if after.ns < one.ns <= end.ns]
    return max(within, key=lambda one: one.ns, default=None)
