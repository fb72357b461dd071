"""The read quota as a budget: so many requests in any minute, shared by all that asks."""

from __future__ import annotations

from collections import deque

MINUTE_S = 60.0


class RequestBudget:
    """A sliding minute. The caller tells the time, so that nothing here reads a clock."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = max(1, per_minute)
        self._spent: deque[float] = deque()
        self.total = 0

    def wait_s(self, now_s: float) -> float:
        """How long to wait before the next request is within the budget."""
        while self._spent and now_s - self._spent[0] >= MINUTE_S:
            self._spent.popleft()
        return 0.0 if len(self._spent) < self._per_minute else MINUTE_S - (now_s - self._spent[0])

    def spend(self, now_s: float) -> None:
        """Count one request."""
        self._spent.append(now_s)
        self.total += 1
