"""Whether two lines speak of one thing: a text, a size that both name."""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.events import Event


def says_same(line: Event, told: Iterable[Event]) -> bool | None:
    """Whether what `line` names stands in one of `told` by the catalogue's ``same``; None: nothing tells."""
    known = None
    for event in told:
        for own, other in line.same.items():
            value, said = line.value(own), event.value(other)
            if value and said:
                if value == said:
                    return True
                known = False
    return known
