"""How far a pod's clock is off, in words."""

from __future__ import annotations

from diag.model.clocks import PodClock
from diag.model.instants import NS_PER_MS, NS_PER_S


def describe_clock(clock: PodClock) -> str:
    """``1.90 to 2.10 s behind``, ``at least 12.5 ms ahead``, ``between 3.2 ms behind and 5.0 ms ahead``."""
    ends = [ns for ns in (clock.least_ns, clock.most_ns) if ns is not None]
    if not clock.shift_ns:
        return _describe_possible(clock)
    word = "ahead" if clock.shift_ns > 0 else "behind"
    sizes = sorted(map(abs, ends))
    if len(sizes) == 1:
        return f"at least {_describe(sizes[0], sizes[0])} {word}"
    least, most = _number(sizes[0], sizes[1]), _describe(sizes[1], sizes[1])
    shown = most if most.startswith(f"{least} ") else f"{least} to {most}"
    return f"{shown} {word}"


def _describe_possible(clock: PodClock) -> str:
    behind = "any time" if clock.least_ns is None else _describe(-clock.least_ns, -clock.least_ns)
    ahead = "any time" if clock.most_ns is None else _describe(clock.most_ns, clock.most_ns)
    return f"between {behind} behind and {ahead} ahead"


def _describe(ns: int, scale_ns: int) -> str:
    return f"{_number(ns, scale_ns)} {'s' if abs(scale_ns) >= NS_PER_S else 'ms'}"


def _number(ns: int, scale_ns: int) -> str:
    return f"{ns / NS_PER_S:.2f}" if abs(scale_ns) >= NS_PER_S else f"{ns / NS_PER_MS:.1f}"
