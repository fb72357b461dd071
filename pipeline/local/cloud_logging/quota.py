"""The quota of read requests: so many in any minute, for all readers together."""

from __future__ import annotations

import threading
from collections import deque

WINDOW_S = 60.0


class ReadQuota:
    """Counts requests. Any thread may call it."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, now_s: float, per_minute: int) -> bool:
        """Count a request at `now_s` (monotonic seconds), unless `per_minute` of the last minute are used.

        Where there is no quota (0) requests are counted all the same: one may be set at any time.
        """
        with self._lock:
            while self._taken and self._taken[0] <= now_s - WINDOW_S:
                self._taken.popleft()
            if per_minute and len(self._taken) >= per_minute:
                return False
            self._taken.append(now_s)
            return True
