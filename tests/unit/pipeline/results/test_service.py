"""The results service's answers, and its process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.results.core import Place, StageRecord, StoredStage
from pipeline.results.service import build_app
from pipeline.results.store import RefusedRecord, Store, StoreThread
from pipeline.wire.log_lines import Log
from pipeline.wire.serving import Probes


@pytest.fixture
async def client(tmp_path: Path, start_client, lines) -> AsyncIterator:
    store, now = await StoreThread(tmp_path).open(), datetime.now(UTC)
    stages = [
        StoredStage(
            Place("stt-results", 0, n, n),
            StageRecord(f"session_{n}", "turn_1", "stt", now - timedelta(minutes=25 * n), 10.0, {}),
        )
        for n in range(4)
    ]
    await store.ask(Store.add, stages, [RefusedRecord(Place("llm-requests", 2, 7, 1), "not JSON", 3, b"{x}")])
    yield await start_client(build_app(store, Probes(), Log("results")))
    await store.close()


async def test_a_session_is_answered_by_its_id(client) -> None:
    """As JSON, with its turns."""
    answer = await client.get("/sessions/session_1")
    body = await answer.json()

    assert (answer.status, body["session_id"], len(body["turns"])) == (200, "session_1", 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sessions/session_unknown", 404),
        ("/sessions/%00", 400),
        ("/sessions/" + "x" * 201, 400),
        ("/sessions?since=yesterday", 400),
        ("/sessions?since=2025-07-27T12:00:00", 400),
        ("/sessions?limit=0", 400),
        ("/sessions?limit=" + "9" * 5_000, 400),
        ("/sessions?limit=%D9%A1", 400),
        ("/refused?limit=x", 400),
        ("/nothing", 404),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(client, lines, path: str, status: int) -> None:
    """One shape, one line."""
    answer = await client.get(path)

    assert answer.status == status
    assert (await answer.json())["error"]
    assert lines.one("request-refused")["status"] == status


async def test_sessions_are_those_of_the_last_hour_or_since_a_time(client) -> None:
    """And it is told where the limit cut them."""
    hour = await (await client.get("/sessions")).json()
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    day = await (await client.get("/sessions", params={"since": since, "limit": 2})).json()

    assert [one["session_id"] for one in hour["sessions"]] == ["session_0", "session_1", "session_2"]
    assert hour["more"] is False
    assert [one["session_id"] for one in day["sessions"]] == ["session_0", "session_1"]
    assert day["more"] is True


async def test_refused_records_are_counted_and_named_without_what_they_hold(client) -> None:
    """Nobody knows what is in them."""
    assert await (await client.get("/refused")).json() == {
        "topics": {"llm-requests": 1},
        "latest": [{"record": "llm-requests/2@7", "reason": "not JSON", "bytes": 3}],
    }


async def test_the_process_lives_without_kafka_and_is_not_ready(start_service, tmp_path: Path) -> None:
    """It says what is missing; SIGTERM ends it with status 0."""
    service = await start_service(
        "results", PORT="0", KAFKA_BOOTSTRAP="127.0.0.1:9", STATE_DIR=str(tmp_path / "state")
    )
    while b"Service started" not in (line := await service.process.stdout.readline()):
        assert line
    service.process.terminate()
    status, _, stderr = await service.end()

    assert (status, stderr) == (0, b"")
    assert (tmp_path / "state/results.db").exists()


@pytest.mark.parametrize("hours", ["0", "-1", "1.5", "x", "99999999", "\u0662"])
async def test_wrong_hours_are_one_line(start_service, tmp_path: Path, hours: str) -> None:
    """By the variable's name."""
    service = await start_service(
        "results",
        PORT="0",
        KAFKA_BOOTSTRAP="127.0.0.1:9",
        STATE_DIR=str(tmp_path),
        RETENTION_HOURS=hours,
        PYTHONIOENCODING="utf-8",
    )
    status, _, stderr = await service.end()

    assert status == 2
    assert stderr.decode().startswith("RETENTION_HOURS=")
    assert stderr.count(b"\n") == 1
