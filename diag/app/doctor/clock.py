"""This machine's clock against the log service's, as far as one answer proves anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from diag.model.checkup import Answer, Health
from diag.model.instants import NS_PER_S, parse_instant

if TYPE_CHECKING:
    from diag.sources.cloud_logging import Visit

TOLERATED_NS = 5 * NS_PER_S
"""What entries take to be readable: less than this changes nothing of what is read."""

_RECENT_NS = 60 * NS_PER_S
_REMEDY = "set the clock (timedatectl set-ntp true); until then give --since and --until"


def compare_clocks(visit: Visit) -> Answer:
    """By the time that the service told, else by when its newest entry had come in there."""
    if visit.service_ns is not None:
        # it told a second, and read its clock between our asking and its answer
        least, most = visit.asked_ns - visit.service_ns - NS_PER_S, visit.answered_ns - visit.service_ns
        return _judge(least, most)
    newest = max(_received(visit), default=None)
    if newest is None:
        return Answer(Health.NOT_ASKED, "the log service told no time, and gave no entry to compare with")
    return _judge_newest(visit.answered_ns - newest)


def _received(visit: Visit) -> Iterator[int]:
    """When each entry had come in, by the service's clock."""
    for record in visit.entries:
        text = "" if isinstance(record.data, str) else record.data.get("receiveTimestamp", "")
        instant = parse_instant(str(text))
        if instant is not None:
            yield instant


def _judge(least: int, most: int) -> Answer:
    """Our clock is ahead by `least` to `most` ns."""
    if least > TOLERATED_NS:
        return Answer(Health.WARNING, f"ahead of the log service by {_seconds(least)} or more", _REMEDY)
    if most < -TOLERATED_NS:
        return Answer(Health.WARNING, f"behind the log service by {_seconds(-most)} or more", _REMEDY)
    return Answer(Health.OK, f"{_signed(least)} to {_signed(most)} against the log service")


def _judge_newest(ahead_ns: int) -> Answer:
    """An entry that had come in before we asked: our clock is ahead by no more than `ahead_ns`."""
    if ahead_ns < -TOLERATED_NS:
        return Answer(Health.WARNING, f"behind the log service by {_seconds(-ahead_ns)} or more", _REMEDY)
    if ahead_ns <= _RECENT_NS:
        told = f"ahead of the log service by no more than {_seconds(max(0, ahead_ns))}"
        return Answer(Health.OK, f"{told} (its newest entry)")
    old = f"its newest entry is {_seconds(ahead_ns)} old by this clock"
    return Answer(Health.NOT_ASKED, f"the log service told no time, and {old}")


def _seconds(ns: int) -> str:
    return f"{ns / NS_PER_S:,.1f} s"


def _signed(ns: int) -> str:
    return f"{ns / NS_PER_S:+.1f} s"
