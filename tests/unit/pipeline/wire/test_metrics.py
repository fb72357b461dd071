"""What services count about sessions."""

from __future__ import annotations

import pytest
from aiohttp import web

from pipeline.wire.correlation import SESSION_HEADER, correlate, correlation_of
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics

NAMES = {
    "voice_sessions_minted_total",
    "voice_sessions_from_header_total",
    "voice_session_headers_invalid_total",
    "voice_sessions_mapped_total",
    "voice_sessions_unmapped_total",
    "voice_sessions_active",
    "voice_session_duration_seconds_count",
    "voice_stage_latency_seconds_count",
    "voice_tasks",
}


def build(metrics: SessionMetrics) -> web.Application:
    """A service that tells under which session it was asked."""

    async def ask(request: web.Request) -> web.Response:
        return web.Response(text=str(correlation_of(request).session_id))

    app = web.Application()
    correlate(app, Log("llm-service"), metrics)
    app.router.add_get("/", ask)
    add_metrics(app, metrics)
    return app


async def test_every_agreed_number_is_served(start_client) -> None:
    """In Prometheus' text format, the untouched ones as 0."""
    metrics = SessionMetrics()
    with metrics.time_stage("stt"):
        pass
    response = await (await start_client(build(metrics))).get("/metrics")
    samples = [line for line in (await response.text()).splitlines() if not line.startswith("#")]

    assert response.headers["Content-Type"].startswith("text/plain")
    assert {line.split()[0].partition("{")[0] for line in samples} >= NAMES
    assert 'voice_stage_latency_seconds_count{stage="stt"} 1.0' in samples


def test_a_stage_that_fails_is_timed_as_well() -> None:
    """A timeout is the latency that hurts most."""
    metrics = SessionMetrics()
    with pytest.raises(TimeoutError), metrics.time_stage("llm"):
        raise TimeoutError

    assert metrics.registry.get_sample_value("voice_stage_latency_seconds_count", {"stage": "llm"}) == 1


def test_two_services_in_one_process_count_apart() -> None:
    """No registry is shared."""
    one, other = SessionMetrics(), SessionMetrics()
    one.minted.inc()

    assert other.registry.get_sample_value("voice_sessions_minted_total") == 0


async def test_a_valid_session_is_counted_and_answered_with(start_client, lines) -> None:
    """Whoever asks sees under which ID it was worked on."""
    metrics, session_id = SessionMetrics(), mint_session_id()
    client = await start_client(build(metrics))
    response = await client.get("/", headers={SESSION_HEADER: session_id})

    assert (await response.text(), response.headers[SESSION_HEADER]) == (session_id, session_id)
    assert metrics.registry.get_sample_value("voice_sessions_from_header_total") == 1
    assert lines.all == []


@pytest.mark.parametrize("brought", ["undefined", "", "x" * 500])
async def test_an_invalid_session_is_refused_counted_and_logged(brought: str, start_client, lines) -> None:
    """It is not worked under, not sent back, and bounded in the log."""
    metrics = SessionMetrics()
    client = await start_client(build(metrics))
    response = await client.get("/", headers={SESSION_HEADER: brought})

    assert (await response.text(), response.headers.get(SESSION_HEADER)) == ("None", None)
    assert metrics.registry.get_sample_value("voice_session_headers_invalid_total") == 1
    assert lines.one("session-header-refused")["refused"] == brought[:80]
    assert lines.one("session-header-refused")["reason"]
