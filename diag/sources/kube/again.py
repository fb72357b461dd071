"""One question asked again where the failure is one that passes: a cut connection, a server that is busy.

Every question is a GET, so that one more costs nothing but its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

_T = TypeVar("_T")

PASSING = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that say nothing of the question: a limit, an election, a rollout of the server."""

_PAUSES_S = (0.2, 0.6)
"""Before the second time, and before the third and last one; the server may ask for longer ones."""


class PassingError(Exception):
    """A failure that may be none the next time.

    Attributes:
        told: what it is where it stays.
        wait_s: what the server asks to wait, 0 where it does not.
    """

    def __init__(self, told: Exception, wait_s: float = 0.0) -> None:
        self.told = told
        self.wait_s = wait_s
        super().__init__(str(told))


def ask_patiently(
    ask: Callable[[], _T],
    within_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> _T:
    """What `ask` gives, asked up to three times where it raises `PassingError`; raises what that tells.

    Args:
        ask: one question.
        within_s: no further question begins later than so many seconds after the first one.
        clock: seconds.
        sleep: waits so many of them.
    """
    end = clock() + within_s
    for pause_s in _PAUSES_S:
        try:
            return ask()
        except PassingError as failure:
            wait_s = max(pause_s, failure.wait_s)
            if clock() + wait_s >= end:
                raise failure.told from failure.__cause__
        sleep(wait_s)
    try:
        return ask()
    except PassingError as failure:
        raise failure.told from failure.__cause__


def read_wait(headers: Mapping[str, str]) -> float:
    """The seconds of a ``Retry-After``; 0 without one, and for a date, which no API server sends."""
    said = headers.get("Retry-After", "").strip()
    return float(said) if said.isascii() and said.isdigit() else 0.0
