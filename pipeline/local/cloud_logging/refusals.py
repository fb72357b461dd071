"""Faults by order: which requests are refused, with which code, how often or how long.

Written as codes with commas between them; the first that is still in force refuses the request.

    UNAVAILABLE          every request, until it is taken back
    UNAVAILABLE*3        the next three
    UNAVAILABLE/3        every third
    UNAVAILABLE@30       for 30 seconds from now
    OK*1,UNAVAILABLE     every one but the next
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import grpc

_ORDER = re.compile(r"(?P<code>[A-Z_]+)(?:(?P<limit>[*/@])(?P<number>\d{1,9}(?:\.\d{1,9})?))?")
_CODES = {code.name: code for code in grpc.StatusCode}

Limit = Literal["", "*", "/", "@"]


@dataclass(frozen=True, slots=True)
class Order:
    """One order; `number` is of requests, or of seconds for ``@``."""

    code: grpc.StatusCode
    limit: Limit = ""
    number: float = 0.0


def parse_orders(text: str) -> tuple[Order, ...]:
    """The orders in `text`, none if it is empty; raises `ValueError`."""
    return tuple(_parse_order(one.strip()) for one in text.split(",")) if text.strip() else ()


def _parse_order(text: str) -> Order:
    match = _ORDER.fullmatch(text)
    if match is None or match["code"] not in _CODES:
        raise ValueError(f"{text!r} is no order: CODE, CODE*TIMES, CODE/EVERY or CODE@SECONDS")
    limit, number = match["limit"] or "", float(match["number"] or 0)
    if limit and (number <= 0 or (limit != "@" and not number.is_integer())):
        raise ValueError(f"{text!r}: {match['number']} is not a number that {limit} can have")
    return Order(_CODES[match["code"]], limit, number)  # type: ignore[arg-type]  # the pattern's own characters


class Refuser:
    """Carries orders out. Any thread may call it."""

    def __init__(self, orders: Iterable[Order], now_s: float) -> None:
        """`now_s` is the time, in monotonic seconds, from which ``@`` counts."""
        self._orders = tuple(orders)
        self._given_s = now_s
        self._asked = [0] * len(self._orders)
        self._lock = threading.Lock()

    def next(self, now_s: float) -> grpc.StatusCode | None:
        """The code that a request at `now_s` is refused with; None where it is served."""
        with self._lock:
            for place, order in enumerate(self._orders):
                if self._is_in_force(place, order, now_s):
                    return None if order.code is grpc.StatusCode.OK else order.code
        return None

    def _is_in_force(self, place: int, order: Order, now_s: float) -> bool:
        if order.limit == "@":
            return now_s < self._given_s + order.number
        self._asked[place] += 1
        if order.limit == "*":
            return self._asked[place] <= order.number
        return order.limit == "" or self._asked[place] % order.number == 0
