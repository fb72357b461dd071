"""The quota of read requests: so many in any minute, for all readers of one project's quota together."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

WINDOW_S = 60.0


class ReadQuota:
    """Counts requests. Any thread may call it."""

    def __init__(self) -> None:
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def take(self, project: str, now_s: float, per_minute: int) -> bool:
        """Count a request at `now_s` (monotonic seconds), unless `per_minute` of the last minute are used.

        It is `project` that pays: the caller's own, whichever projects are read.

        Where there is no quota (0) requests are counted all the same: one may be set at any time.
        """
        with self._lock:
            taken = self._taken[project]
            while taken and taken[0] <= now_s - WINDOW_S:
                taken.popleft()
            if per_minute and len(taken) >= per_minute:
                return False
            taken.append(now_s)
            return True
