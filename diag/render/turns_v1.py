"""A turn in the machine's output, version 1."""

from __future__ import annotations

from typing import Any

from diag.model.instants import NS_PER_MS, format_instant
from diag.model.ledger import Duration, Stage, Stamp
from diag.model.session import Turn

Json = dict[str, Any]


def to_turn(turn: Turn) -> Json:
    """With the ledger of its time."""
    return {
        "start": _raw(turn.start),
        "adjusted_start": _adjusted(turn.start),
        "end": _raw(turn.end),
        "adjusted_end": _adjusted(turn.end),
        "stages": [_stage(stage) for stage in turn.stages],
        "parts": [{"name": part.name, **_duration(part.took)} for part in turn.parts],
        "total_ms": _ms(turn.total_ms),
        "unaccounted_ms": _ms(turn.unaccounted_ms),
        "doubt_ms": _doubt_ms(turn.total),
        "outcome": turn.outcome.value,
    }


def _stage(stage: Stage) -> Json:
    return {
        "name": stage.name,
        "start": _raw(stage.begun),
        "adjusted_start": _adjusted(stage.begun),
        "end": _raw(stage.ended),
        "adjusted_end": _adjusted(stage.ended),
        "ms": _ms(stage.ms),
        "doubt_ms": _doubt_ms(stage.took),
        "state": stage.state,
    }


def _raw(stamp: Stamp | None) -> str | None:
    """As it was written."""
    return format_instant(stamp.raw_ns) if stamp and stamp.raw_ns else None


def _adjusted(stamp: Stamp | None) -> str | None:
    """By the reference's clock; None where the raw time stands."""
    return None if stamp is None or stamp.ns == stamp.raw_ns else format_instant(stamp.ns)


def _duration(took: Duration) -> Json:
    return {"ms": _ms(took.ms), "doubt_ms": _doubt_ms(took)}


def _doubt_ms(took: Duration | None) -> float | None:
    return None if took is None or took.doubt_ns is None else _ms(took.doubt_ns / NS_PER_MS)


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
