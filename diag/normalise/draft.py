"""What a payload shape hands on: a record whose parts have names, before services and IDs are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A record in named parts.

    Attributes:
        name_hints: what may name the service, best first: container, app label, pod.
        payload: a JSON line's fields with message, level and time taken out; empty for a text.
        labels: of the entry, searched for IDs like the payload.
        unparsed: the line began as JSON and is none.
    """

    time_ns: int | None = None
    received_ns: int | None = None
    level: str = ""
    message: str = ""
    pod: str = ""
    name_hints: tuple[str, ...] = ()
    insert_id: str = ""
    log_name: str = ""
    trace: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    unparsed: bool = False

    def under(self, outer: Draft) -> Draft:
        """This line inside `outer`, which knows better when and where it was written."""
        return Draft(
            time_ns=self.time_ns if outer.time_ns is None else outer.time_ns,
            received_ns=outer.received_ns,
            level=self.level or outer.level,
            message=self.message,
            pod=outer.pod or self.pod,
            name_hints=outer.name_hints + self.name_hints,
            insert_id=outer.insert_id,
            log_name=outer.log_name,
            trace=outer.trace or self.trace,
            payload=self.payload,
            labels=outer.labels,
            unparsed=self.unparsed,
        )
