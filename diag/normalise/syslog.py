"""Headers of the platform's own loggers: klog and syslog. Two of the three leave the year away."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from diag.model.instants import NS_PER_S
from diag.normalise.header import MONTHS, Clock, Header
from diag.normalise.levels import SYSLOG_LEVELS, to_level
from diag.normalise.timestamps import to_instant

_LEAP_YEAR = 2024

_KLOG = re.compile(r"([IWEF])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6}) +\d+ [^\]\s:]+:\d+\] ?")
_PRIORITY = r"<(?P<pri>\d{1,3})>"
_RFC3164 = re.compile(
    rf"(?:{_PRIORITY})?(?P<month>{'|'.join(MONTHS)}) +(?P<day>\d{{1,2}}) (?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)? "
    r"\S+ (?P<app>[\w./@-]+)(?:\[\d+\])?: ?"
)
_ELEMENTS = r"(?:-|(?:\[(?:[^\]\"\\]|\"(?:[^\"\\]|\\.)*\")*\])+)"
_RFC5424 = re.compile(rf"{_PRIORITY}1 (?P<time>\S+) \S+ (?P<app>\S+) \S+ \S+ {_ELEMENTS} ?\ufeff?")


def read_klog(line: str) -> Header | None:
    """``I0727 11:26:41.372000       1 server.go:12] words``."""
    found = _KLOG.match(line)
    if found is None:
        return None
    level, month, day, *parts, micros = found.groups()
    clock = _to_clock(int(month), int(day), ":".join(parts), int(micros) * 1_000)
    if clock is None:
        return None
    has_pairs = line.startswith('"', found.end())
    return Header(line[found.end() :], level=to_level(level), clock=clock, has_pairs=has_pairs)


def read_rfc3164(line: str) -> Header | None:
    """``<14>Jul 27 11:26:41 host program[7]: words``; files have no number before it."""
    found = _RFC3164.match(line)
    if found is None:
        return None
    clock = _to_clock(MONTHS[found["month"]], int(found["day"]), found["clock"])
    if clock is None:
        return None
    level, name = _to_severity(found["pri"]), _base(found["app"])
    return Header(line[found.end() :], level=level, name=name, clock=clock)


def read_rfc5424(line: str) -> Header | None:
    """``<14>1 2025-07-27T11:26:41.372Z host program 7 - - words``."""
    found = _RFC5424.match(line)
    if found is None:
        return None
    name = _base(found["app"].strip("-"))
    return Header(line[found.end() :], to_instant(found["time"]), _to_severity(found["pri"]), name)


def _to_severity(priority: str | None) -> str:
    return "" if priority is None else SYSLOG_LEVELS.get(str(int(priority) % 8), "")


def _base(program: str) -> str:
    return program.rsplit("/", 1)[-1]


def _to_clock(month: int, day: int, clock: str, nanos: int = 0) -> Clock | None:
    hour, minute, second = (int(part) for part in clock.split(":"))
    try:
        datetime(_LEAP_YEAR, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return month, day, ((hour * 60 + minute) * 60 + second) * NS_PER_S + nanos
