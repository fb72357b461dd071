"""What a payload shape hands on: a record whose parts have names, before services and IDs are known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from diag.normalise.header import Clock

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Draft(NamedTuple):
    """A record in named parts; a tuple, since two are made for every line that is read.

    Attributes:
        site: where the pod runs, ``location/cluster/namespace``.
        name_hints: what may name the service, best first: container, app label, pod.
        payload: a JSON line's fields with message, level and time taken out; empty for a text.
        labels: of the entry, searched for IDs like the payload.
        unparsed: the line began as JSON and is none.
        clock: the time of a line whose logger leaves the year away.
        continues: whether it belongs to the line before it, as the lines of a stack trace do.
    """

    time_ns: int | None = None
    level: str = ""
    message: str = ""
    pod: str = ""
    site: str = ""
    name_hints: tuple[str, ...] = ()
    insert_id: str = ""
    log_name: str = ""
    trace: str = ""
    payload: Mapping[str, Any] = EMPTY
    labels: Mapping[str, Any] = EMPTY
    unparsed: bool = False
    clock: Clock | None = None
    continues: bool = False

    def holding(
        self,
        message: str = "",
        *,
        time_ns: int | None = None,
        level: str = "",
        pod: str = "",
        name_hints: tuple[str, ...] = (),
        trace: str = "",
        payload: Mapping[str, Any] = EMPTY,
        unparsed: bool = False,
    ) -> Draft:
        """What stands inside this one, which knows better when and where it was written."""
        return Draft._make(  # half of what the constructor takes, of which each line has two
            (
                time_ns if self.time_ns is None else self.time_ns,
                level or self.level,
                message,
                self.pod or pod,
                self.site,
                self.name_hints + name_hints,
                self.insert_id,
                self.log_name,
                self.trace or trace,
                payload,
                self.labels,
                unparsed,
                None,
                False,
            )
        )


BARE = Draft()
"""The envelope of a line that has none."""
