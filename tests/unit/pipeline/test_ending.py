"""The drain of every service fits into its share of the end, and leaves something: added up, not tried."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from pipeline.media_server.session import LONGEST_END_S
from pipeline.orchestrator import settings as orchestrator_settings
from pipeline.orchestrator.service import build_orchestrator
from pipeline.results import settings as results_settings
from pipeline.results.service import build_service as build_results
from pipeline.wire.environment import Environment
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.serving import answer_limit_s, on_drain

NOWHERE = "http://127.0.0.1:9"
# A service whose drain takes all would cut off the answers that it has begun.
LEAST_ANSWER_S = 0.1
KAFKA = {"PORT": "0", "KAFKA_BOOTSTRAP": "127.0.0.1:9"}


async def test_the_orchestrator_ends_in_time(lines) -> None:
    """With turns that hang, sockets that do not answer, and a Kafka that is away."""
    urls = {"STT_URL": NOWHERE, "LLM_URL": NOWHERE, "TTS_URL": NOWHERE}
    settings = orchestrator_settings.read_settings(Environment({**KAFKA, **urls}))
    orchestrator, app = build_orchestrator(settings, SessionMetrics(), Log("orchestrator")), web.Application()
    for step, limit_s in orchestrator.drain():
        on_drain(app, step, limit_s)
    await orchestrator.close()

    assert answer_limit_s(app) > LEAST_ANSWER_S


async def test_the_results_end_in_time(lines, tmp_path: Path) -> None:
    """With a disk that takes its time."""
    settings = results_settings.read_settings(Environment({**KAFKA, "STATE_DIR": str(tmp_path)}))

    assert answer_limit_s(build_results(settings, Log("results"))) > LEAST_ANSWER_S


def test_the_media_server_ends_in_time() -> None:
    """With callers that are gone, and a Kafka that takes nothing."""
    app = web.Application()

    async def drain(_limit_s: float) -> None:
        pass

    on_drain(app, drain, LONGEST_END_S)
    assert answer_limit_s(app) > LEAST_ANSWER_S
