"""The switchboard of a running server: what its switches say of the next request."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from pipeline.local.cloud_logging.errors import (
    LIST_PERMISSION,
    WRITE_PERMISSION,
    permission_denied,
    quota_exceeded,
    refuse,
)
from pipeline.local.cloud_logging.quota import ReadQuota
from pipeline.local.cloud_logging.refusals import Refuser, parse_orders
from pipeline.local.cloud_logging.switches import Switches, change


class Switchboard:
    """Switches, and what must be remembered for them. Any thread may call it."""

    def __init__(self, switches: Switches | None = None) -> None:
        self._lock = threading.Lock()
        self._quota = ReadQuota()
        self._switches = switches or Switches()
        self._reads = _obey(self._switches.refuse_reads)
        self._writes = _obey(self._switches.refuse_writes)

    @property
    def switches(self) -> Switches:
        """As they are set."""
        return self._switches

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Set some switches, all of them or none; gives all. Raises `ValueError`.

        An order to refuse begins anew when it is given, also where it was given before.
        """
        with self._lock:
            self._switches = change(self._switches, changes)
            if "refuse_reads" in changes:
                self._reads = _obey(self._switches.refuse_reads)
            if "refuse_writes" in changes:
                self._writes = _obey(self._switches.refuse_writes)
            return asdict(self._switches)

    def forget(self) -> None:
        """Count requests anew, as a minute without any would."""
        self._quota = ReadQuota()

    def admit_read(self, project: str, context: Any) -> None:
        """Let a read at the cost of `project` through, in its time; raises `RequestError`."""
        self._delay(context)
        now_s, per_minute = time.monotonic(), self._switches.read_requests_per_minute
        code = self._reads.next(now_s)
        if code is not None:
            raise refuse(code, LIST_PERMISSION, project)
        if not self._quota.take(project, now_s, per_minute):
            raise quota_exceeded(project, per_minute)

    def admit_write(self, project: str, context: Any) -> None:
        """Let a write through, in its time; raises `RequestError`."""
        self._delay(context)
        code = self._writes.next(time.monotonic())
        if code is not None:
            raise refuse(code, WRITE_PERMISSION, project)

    def check_readable(self, projects: Iterable[str]) -> None:
        """Raises `RequestError` where one of `projects` is denied."""
        if not self._switches.denied.isdisjoint(projects):
            raise permission_denied(LIST_PERMISSION)

    def _delay(self, context: Any) -> None:
        """Wait as long as an answer takes, or until nobody waits for it any more."""
        wait_s = self._switches.latency_s + random.uniform(0, self._switches.jitter_s)
        if wait_s > 0:
            ended = threading.Event()
            if context is None or context.add_callback(ended.set):
                ended.wait(wait_s)


def _obey(orders: str) -> Refuser:
    return Refuser(parse_orders(orders), time.monotonic())
