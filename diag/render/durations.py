"""How long something took, in words that claim no more than the lines allow."""

from __future__ import annotations

from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.ledger import Duration


def describe_duration(took: Duration | None) -> str:
    """``460 ms``; ``~460 ms`` if it may be off; ``~2 s`` of whole seconds; ``460 ms?``: nobody knows."""
    if took is None:
        return "-"
    if took.least_ns is None or took.most_ns is None:
        return f"{took.ms:.0f} ms?"
    if took.is_coarse:
        return f"~{took.ns / NS_PER_S:.0f} s"
    return f"{'' if took.is_exact else '~'}{took.ms:.0f} ms"


def describe_bounds(took: Duration | None) -> str:
    """What the lines allow: `` (412 to 520 ms)``, `` (at least 12 ms)``; empty where that is the duration."""
    if took is None or took.is_exact:
        return ""
    least, most = took.least_ns, took.most_ns
    if least is None and most is None:
        return ""
    if most is None:
        return f" (at least {_ms(least)} ms)"
    if least is None:
        return f" (at most {_ms(most)} ms)"
    return f" ({_ms(least)} to {_ms(most)} ms)"


def describe_briefly(took: Duration | None) -> str:
    """For a narrow column, in milliseconds: ``460``, ``~460``, ``460?``."""
    if took is None:
        return "-"
    unbound = took.least_ns is None or took.most_ns is None
    return f"{took.ms:.0f}?" if unbound else f"{'' if took.is_exact else '~'}{took.ms:.0f}"


def _ms(ns: int | None) -> str:
    return f"{(ns or 0) / NS_PER_MS:.0f}"
