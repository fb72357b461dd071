"""The quota of read requests: so many in any minute, for all readers together."""

from __future__ import annotations

import threading
from collections import deque

WINDOW_S = 60.0


class ReadQuota:
    """Counts requests. Any thread may call it."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, now_s: float) -> bool:
        """Count a request at `now_s` (monotonic seconds), unless the minute is used up."""
        if not self.per_minute:
            return True
        with self._lock:
            while self._taken and self._taken[0] <= now_s - WINDOW_S:
                self._taken.popleft()
            if len(self._taken) >= self.per_minute:
                return False
            self._taken.append(now_s)
            return True
