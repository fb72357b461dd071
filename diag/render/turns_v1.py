"""A turn in the machine's output, version 1."""

from __future__ import annotations

from typing import Any

from diag.model.instants import NS_PER_MS, format_instant
from diag.model.ledger import Duration, Part, Stamp
from diag.model.turns import Interruption, Replay, Stage, Turn

Json = dict[str, Any]


def turn_to_json(turn: Turn) -> Json:
    """Instants as they were written, durations by adjusted times, each with what the lines allow."""
    total = turn.ledger.total if turn.ledger else None
    after = turn.ledger.after if turn.ledger else None
    return {
        "start": _instant(turn.start_ns),
        "end": _instant(turn.end_ns),
        "adjusted_start": _adjusted(turn.start),
        "adjusted_end": _adjusted(turn.end),
        "stages": [_stage(stage) for stage in turn.stages],
        "total_ms": _ms(turn.total_ms),
        "unaccounted_ms": _ms(turn.unaccounted_ms),
        **_bounds(total),
        "parts": [_part(part) for part in turn.ledger.parts] if turn.ledger else [],
        "played_after_ms": None if after is None else _ms(after.ms),
        "interrupted_by": _interruption(turn.interruption) if turn.interruption else None,
        "replayed": _replay(turn.replay) if turn.replay else None,
        "outcome": turn.outcome.value,
    }


def _stage(stage: Stage) -> Json:
    return {
        "name": stage.name,
        "start": _instant(stage.start_ns),
        "end": _instant(stage.end_ns),
        "ms": _ms(stage.ms),
        **_bounds(stage.took),
        "state": stage.state,
    }


def _part(part: Part) -> Json:
    return {
        "name": part.name,
        "ms": _ms(part.took.ms),
        "beside_ms": _ms(part.beside.ms),
        **_bounds(part.took),
    }


def _bounds(took: Duration | None) -> Json:
    least, most = (None, None) if took is None else (took.least_ns, took.most_ns)
    return {
        "least_ms": None if least is None else _ms(least / NS_PER_MS),
        "most_ms": None if most is None else _ms(most / NS_PER_MS),
    }


def _interruption(one: Interruption) -> Json:
    return {
        "time": _instant(one.by.time_ns),
        "ref": one.by.entry.ref,
        "text": one.by.text,
        "proved": one.proved,
    }


def _replay(one: Replay) -> Json:
    return {"of": _instant(one.of_ns), "how": one.how, "proved": one.proved}


def _instant(ns: int | None) -> str | None:
    return format_instant(ns) if ns else None


def _adjusted(stamp: Stamp | None) -> str | None:
    """As in the timeline: only where it differs from the raw time."""
    return None if stamp is None or stamp.ns == stamp.raw_ns else _instant(stamp.ns)


def _ms(value: float | None) -> float | None:
    """To the nanosecond, so that the parts sum to their total."""
    return None if value is None else round(value, 6)
