"""How the server behaves, each behaviour a switch that may be changed while it runs.

A switch has one name: ``latency_s`` here and over HTTP, ``--latency-s`` on the command line,
``LATENCY_S`` in the environment. The defaults are those of a patient service without a quota; where the
real one is known to be otherwise, the switch says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from pipeline.local.cloud_logging.refusals import parse_orders

_MOST = 1e9
_ORDERS = frozenset({"refuse_reads", "refuse_writes"})


def _switch(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Switches:
    """One setting of all switches."""

    read_requests_per_minute: int = _switch(
        0, "read requests in any minute at the cost of one project; 0: no quota (a real project: 60)"
    )
    page_bytes: int = _switch(
        10 * 1024 * 1024, "a page ends at the entry that makes it as long as this, full or not"
    )
    search_s: float = _switch(
        5.0, "how long a page may be searched for; then it ends, maybe empty, with a token to go on from"
    )
    ingestion_delay_s: float = _switch(
        0.0, "how long after its arrival an entry can be read (a real project: 3 to 5 s)"
    )
    retention_days: float = _switch(
        0.0, "what is older can not be read any more, nor kept; 0: for ever (a real project: 30)"
    )
    latency_s: float = _switch(0.0, "how long every answer takes")
    jitter_s: float = _switch(0.0, "how much longer it takes at most, at random")
    denied_projects: str = _switch(
        "", "projects, with commas between, whose entries the caller may neither read nor write"
    )
    sinks: str = _switch(
        "", "whose entries another project's views hold as well: FROM>TO, with commas between"
    )
    refuse_reads: str = _switch("", "which reads fail, and how: CODE, CODE*TIMES, CODE/EVERY, CODE@SECONDS")
    refuse_writes: str = _switch("", "which writes fail, likewise")
    tail_sessions: int = _switch(10, "tailing sessions at once")
    tail_entries_per_minute: int = _switch(60_000, "entries that one tailing session gets in any minute")

    @property
    def denied(self) -> frozenset[str]:
        """The projects of `denied_projects`."""
        return frozenset(filter(None, map(str.strip, self.denied_projects.split(","))))

    @property
    def routes(self) -> frozenset[tuple[str, str]]:
        """The pairs of `sinks`: from which project, to which."""
        return frozenset(_read_routes(self.sinks))


def _read_routes(text: str) -> Iterator[tuple[str, str]]:
    for one in filter(None, map(str.strip, text.split(","))):
        source, arrow, place = map(str.strip, one.partition(">"))
        if not (source and arrow and place):
            raise ValueError(f"{one!r} is no sink: FROM>TO")
        yield source, place


def list_switches() -> Mapping[str, str]:
    """Every switch by its name, with its meaning and its default."""
    return {one.name: f"{one.metadata['meaning']} [{one.default!r}]" for one in fields(Switches)}


def change(switches: Switches, changes: Mapping[str, Any]) -> Switches:
    """`switches` with `changes`, each a value or its text; raises `ValueError` that names the wrong one."""
    known = {one.name: one for one in fields(Switches)}
    for name in changes:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ValueError(f"no switch {name[:80]!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return replace(switches, **{name: _read(known[name], value) for name, value in changes.items()})


def _read(switch: Field[Any], value: Any) -> Any:
    if not isinstance(switch.default, str):
        return _read_number(switch, value)
    text = str(value)
    if switch.name in _ORDERS:
        _check(switch.name, parse_orders, text)
    if switch.name == "sinks":
        _check(switch.name, lambda given: list(_read_routes(given)), text)
    return text


def _read_number(switch: Field[Any], value: Any) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not 0 <= number < _MOST:
        raise ValueError(f"{switch.name}={value!r} is not a number from 0 on")
    if isinstance(switch.default, float):
        return number
    if not number.is_integer():
        raise ValueError(f"{switch.name}={value!r} is not a whole number")
    return int(number)


def _check(name: str, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
