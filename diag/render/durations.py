"""How long something took, in words."""

from __future__ import annotations

from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.ledger import Duration


def describe_duration(took: Duration | None) -> str:
    """``849 ms``; ``~849 ms`` where clocks may be off, ``~2 s`` of whole seconds; empty if there is none."""
    if took is None:
        return ""
    if took.is_exact:
        return f"{took.ms:.0f} ms"
    if took.doubt_ns is not None and took.doubt_ns >= NS_PER_S and took.ns % NS_PER_S == 0:
        return f"~{took.ns // NS_PER_S} s"
    return f"~{took.ns / NS_PER_MS:.0f} ms"
