"""What a service counts, at ``/metrics`` in the text format of Prometheus.

Every application has a registry of its own: two of them in one process, as in the tests, do not
count into each other. No session ID is ever a label, since each label value is a time series that is
kept for ever; from a number to its sessions lead the logs (``diag sessions``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# seconds: from a call that was a mistake to one of an hour
_DURATIONS_S = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
# seconds: from a stub's answer to the timeout of a stage
_LATENCIES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class SessionMetrics:
    """The numbers about sessions that every service has; what does not happen in it stays 0.

    Attributes:
        minted: sessions that got their ID here.
        from_header: requests that brought a session ID that was believed.
        headers_invalid: requests that brought one that was not.
        mapped: WebSocket connections that were bound to a session.
        unmapped: messages for a session that no WebSocket is bound to, addressed to nobody.
        failed: turns that ended without a reply, or without a spoken one, by the `stage` that failed.
        active: sessions that this process has now.
        duration: how long they lasted, in seconds.
    """

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.minted = Counter("voice_sessions_minted_total", "Session IDs minted here", registry=registry)
        self.from_header = Counter(
            "voice_sessions_from_header_total", "Session IDs taken from a request", registry=registry
        )
        self.headers_invalid = Counter(
            "voice_session_headers_invalid_total", "Session IDs refused in a request", registry=registry
        )
        self.mapped = Counter(
            "voice_sessions_mapped_total", "WebSockets bound to a session", registry=registry
        )
        self.unmapped = Counter(
            "voice_sessions_unmapped_total",
            "Messages for a session without a WebSocket, addressed to nobody",
            registry=registry,
        )
        self.failed = Counter(
            "voice_turns_failed_total",
            "Turns without a reply, or without a spoken one",
            ["stage"],
            registry=registry,
        )
        self.active = Gauge("voice_sessions_active", "Sessions of this process", registry=registry)
        self.duration = Histogram(
            "voice_session_duration_seconds",
            "From the beginning of a session to its end",
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._latency = Histogram(
            "voice_stage_latency_seconds",
            "Time that a stage took, failures included",
            ["stage"],
            buckets=_LATENCIES_S,
            registry=registry,
        )

    @contextmanager
    def time_stage(self, stage: str) -> Iterator[None]:
        """Observe how long the context takes, however it ends. `stage` is one of a few fixed names."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._latency.labels(stage).observe(time.monotonic() - started)


def add_metrics(app: web.Application, metrics: SessionMetrics) -> None:
    """Serve ``GET /metrics``."""
    tasks = Gauge("voice_tasks", "Tasks of the event loop", registry=metrics.registry)
    tasks.set_function(lambda: len(asyncio.all_tasks()))

    async def answer(_request: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", answer)
