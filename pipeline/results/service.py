"""The results service's HTTP side: ``GET /sessions/{id}``, ``/sessions`` and ``/refused``."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from aiohttp import web

from pipeline.results.core import describe_session, is_id, read_time, to_text
from pipeline.results.intake import ResultsIntake
from pipeline.results.settings import Settings
from pipeline.results.store import SessionSummary, Store, StoreThread
from pipeline.wire.background import Background, end_tasks
from pipeline.wire.kafka import KafkaPublisher
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.records import RecordError
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes, on_drain

_PRUNE_EVERY_S = 300.0
_READ_NO_MORE_S = 2.5
_LIMIT, _MOST = 100, 1_000


class Answers:
    """Answers from the store."""

    def __init__(self, store: StoreThread) -> None:
        self._store = store

    async def session(self, request: web.Request) -> web.Response:
        """``GET /sessions/{id}``: the session's turns, of each its stages."""
        session_id = request.match_info["session_id"]
        if not is_id(session_id):
            raise RequestRefusedError(400, "that is no ID")
        stages = await self._store.ask(Store.read_session, session_id)
        if not stages:
            raise RequestRefusedError(404, "no such session")
        return web.json_response(describe_session(session_id, stages))

    async def sessions(self, request: web.Request) -> web.Response:
        """``GET /sessions?since=TIME&limit=N``: the latest first; ``more`` where the limit cut them."""
        limit = _read_limit(request)
        found = await self._store.ask(Store.list_sessions, _read_since(request), limit + 1)
        rows = [_describe_summary(summary) for summary in found[:limit]]
        return web.json_response({"sessions": rows, "more": len(found) > limit})

    async def refused(self, request: web.Request) -> web.Response:
        """``GET /refused?limit=N``: records that were not understood, by topic; the latest by place."""
        limit = _read_limit(request)
        counts = await self._store.ask(Store.count_refused)
        rows = [
            {
                "record": f"{one.place.topic}/{one.place.partition}@{one.place.offset}",
                "reason": one.reason,
                "bytes": one.size,
            }
            for one in await self._store.ask(Store.list_refused, limit)
        ]
        return web.json_response({"topics": counts, "latest": rows})


def _describe_summary(summary: SessionSummary) -> dict[str, str | int]:
    return {
        "session_id": summary.session_id,
        "first": to_text(summary.first),
        "last": to_text(summary.last),
        "turns": summary.turns,
        "stages": summary.stages,
    }


def _read_limit(request: web.Request) -> int:
    text = request.query.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST):
        raise RequestRefusedError(400, f"limit is not a number from 1 to {_MOST}")
    return int(text[:9])


def _read_since(request: web.Request) -> datetime:
    """The hour before now where none is given."""
    text = request.query.get("since")
    if text is None:
        return datetime.now(UTC) - timedelta(hours=1)
    try:
        return read_time(text)
    except RecordError as error:
        raise RequestRefusedError(400, "since is not a time with its offset from UTC (RFC 3339)") from error


async def _prune_now_and_then(store: StoreThread, retention: timedelta, log: Log) -> None:
    while True:
        try:
            gone = await store.ask(Store.prune, datetime.now(UTC) - retention)
        except sqlite3.Error as error:
            log.write("results-not-stored", error=str(error))
        else:
            if gone:
                log.write("results-pruned", stages=gone)
        await asyncio.sleep(_PRUNE_EVERY_S)


def build_app(store: StoreThread, probes: Probes, log: Log) -> web.Application:
    """The application around `store`; what it needs of Kafka is not its matter."""
    answers = Answers(store)
    app = web.Application(middlewares=[refuse_in_one_shape(log)])
    app.router.add_get("/sessions", answers.sessions)
    app.router.add_get("/sessions/{session_id}", answers.session)
    app.router.add_get("/refused", answers.refused)
    add_probes(app, probes)
    return app


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole service. It answers from what it has also while Kafka is away, but is not ready then."""
    store = StoreThread(settings.folder)
    publisher = KafkaPublisher(settings.kafka, log)
    metrics = SessionMetrics()
    intake = ResultsIntake(settings.kafka, publisher, store, metrics.registry, log)
    background = Background()
    reading: set[asyncio.Task[None]] = set()

    async def run_tasks(_app: web.Application) -> AsyncIterator[None]:
        await store.open()
        background.start(publisher.run(), "Kafka connection")
        background.start(_prune_now_and_then(store, settings.retention, log), "retention")
        reading.add(background.start(intake.run(), "reader of the logging topics"))
        yield
        await background.stop()
        await store.close()

    async def read_no_more(limit_s: float) -> None:
        """What is being stored is stored, or read again by the next process."""
        await end_tasks(reading, limit_s)

    probes = Probes(
        ready={
            "store": lambda: store.is_open,
            "kafka": lambda: publisher.connected,
            "logging-topics": lambda: intake.ready,
        },
        alive={"background-tasks": background.alive},
    )
    app = build_app(store, probes, log)
    add_metrics(app, metrics)
    app.cleanup_ctx.append(run_tasks)
    on_drain(app, read_no_more, _READ_NO_MORE_S)
    return app
