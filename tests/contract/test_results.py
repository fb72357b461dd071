"""The results service against a real broker: what the topics have, it has, whatever happens to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from pipeline.local.kafka_admin import ALL_TOPICS, STANDING_TOPICS, create_topics
from pipeline.wire.records import LLM_REQUESTS, RESULTS_GROUP, STT_RESULTS, TTS_RESULTS, StageLog
from pipeline.wire.tracing import start_trace
from tests.contract.kafka_broker import run_broker

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker that has all topics but stt-results."""
    async with run_broker(tmp_path_factory.mktemp("broker"), lambda properties: properties) as broker:
        await create_topics(broker.bootstrap, STANDING_TOPICS)
        yield broker.bootstrap


@dataclass
class Results:
    """The running service."""

    url: str
    client: aiohttp.ClientSession
    log: list[dict[str, Any]]

    async def get(self, path: str) -> Any:
        """The JSON of an answer; None for 404 and for what is not ready."""
        async with self.client.get(self.url + path) as answer:
            return await answer.json() if answer.status == 200 else None

    async def get_text(self, path: str) -> str:
        """The text of an answer."""
        async with self.client.get(self.url + path) as answer:
            return await answer.text()

    async def lines(self, message: str, count: int = 1) -> list[dict[str, Any]]:
        """At least `count` lines of that message."""
        return await eventually(lambda: self._find(message, count))

    async def _find(self, message: str, count: int) -> list[dict[str, Any]]:
        found = [line for line in self.log if line["message"] == message]
        return found if len(found) >= count else []


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` gives as soon as it gives something."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := await look()):
            await asyncio.sleep(0.1)
    return found


@asynccontextmanager
async def run_results(bootstrap: str, folder: Path) -> AsyncIterator[Results]:
    """The service as a process, ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.results"),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PORT": "0",
            "KAFKA_BOOTSTRAP": bootstrap,
            "STATE_DIR": str(folder),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    started = json.loads(await process.stdout.readline())
    log: list[dict[str, Any]] = []
    reading = asyncio.create_task(_keep(process.stdout, log))
    try:
        async with aiohttp.ClientSession() as client:
            results = Results(f"http://127.0.0.1:{started['port']}", client, log)
            await eventually(lambda: results.get("/readyz"))
            yield results
    finally:
        process.terminate()
        assert await process.wait() == 0
        await reading


async def _keep(stdout: asyncio.StreamReader, log: list[dict[str, Any]]) -> None:
    while line := await stdout.readline():
        log.append(json.loads(line))


async def publish(bootstrap: str, session_id: str, *stages: str) -> None:
    """What the orchestrator publishes of one turn."""
    topics = {"stt": STT_RESULTS, "llm": LLM_REQUESTS, "tts": TTS_RESULTS}
    entries = [
        StageLog(session_id, "turn_0a1b2c3d", stage, 12.0, {"chars": 3}, start_trace()) for stage in stages
    ]
    await send(
        bootstrap, *((topics[e.stage], session_id.encode(), e.to_value(), e.to_headers()) for e in entries)
    )


async def send(bootstrap: str, *records: tuple[str, bytes | None, bytes | None, list]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for topic, key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers)
    finally:
        await producer.stop()


async def committed(bootstrap: str) -> dict[TopicPartition, int]:
    """The offsets of the service's group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(RESULTS_GROUP)
    finally:
        await admin.close()
    return {place: row.offset for place, row in offsets.items() if row.offset > 0}


def stages_of(session: Any) -> list[str]:
    return [stage["stage"] for turn in session["turns"] for stage in turn["stages"]]


async def test_a_session_is_answered_from_what_the_stages_published(bootstrap: str, tmp_path: Path) -> None:
    """Each record has its line, under the session, the turn and the trace; it is committed."""
    async with run_results(bootstrap, tmp_path) as results:
        await publish(bootstrap, "session_plain", "llm", "tts")
        session = await eventually(lambda: find_stages(results, "session_plain", 2))
        lines = [line for line in results.log if line.get("session_id") == "session_plain"]
        listed = await results.get("/sessions")
        await eventually(lambda: committed(bootstrap))

    assert stages_of(session) == ["llm", "tts"]
    assert "session_plain" in {row["session_id"] for row in listed["sessions"]}
    assert {line["turn_id"] for line in lines} == {"turn_0a1b2c3d"}
    assert len({line["logging.googleapis.com/trace"] for line in lines}) == 2


async def test_the_next_process_has_what_the_one_before_had_and_reads_on(
    bootstrap: str, tmp_path: Path
) -> None:
    """Also what came between the two; a lost folder is filled again from the topics."""
    async with run_results(bootstrap, tmp_path) as results:
        await publish(bootstrap, "session_before", "llm")
        await eventually(lambda: find_stages(results, "session_before", 1))
    await publish(bootstrap, "session_before", "tts")
    async with run_results(bootstrap, tmp_path) as results:
        await eventually(lambda: find_stages(results, "session_before", 2))
    shutil.rmtree(tmp_path)
    async with run_results(bootstrap, tmp_path) as results:
        await eventually(lambda: find_stages(results, "session_before", 2))


async def find_stages(results: Results, session_id: str, count: int) -> Any:
    """The session, once it has as many stages."""
    session = await results.get(f"/sessions/{session_id}")
    return session if session and len(stages_of(session)) == count else None


async def test_foreign_records_are_kept_aside_and_the_rest_is_stored(bootstrap: str, tmp_path: Path) -> None:
    """One line each, without what they hold; the service lives and what follows is stored."""
    rubbish: list[tuple[bytes | None, bytes | None, list]] = [
        (None, b"null", []),
        (b"session_x", None, []),
        (b"", b"", []),
        (b"\xff\xfe", b"\x00\x01\x02", [("traceparent", b"\xff"), ("stage", b"")]),
        (b"session_x", b'{"secret": "hunter2"}', []),
        (b"session_x", b"[" * 50_000, []),
        (b"session_x", b"x" * 900_000, []),
        (b"k" * 100_000, b"null", []),
        (b"session_x", json.dumps({"session_id": "session_y"}).encode(), []),
    ]
    async with run_results(bootstrap, tmp_path) as results:
        await send(bootstrap, *((LLM_REQUESTS, *record) for record in rubbish))
        await publish(bootstrap, "session_after", "llm")
        session = await eventually(lambda: results.get("/sessions/session_after"))
        lines = await results.lines("Record not understood, skipped", len(rubbish))
        refused = await results.get("/refused")
        metrics = await results.get_text("/metrics")

    assert stages_of(session) == ["llm"]
    assert refused["topics"] == {LLM_REQUESTS: len(rubbish)}
    assert f'voice_results_records_total{{outcome="refused"}} {len(rubbish)}.0' in metrics
    assert all(len(json.dumps(line)) < 400 for line in lines)
    assert not any("hunter2" in json.dumps(line) for line in lines)


async def test_a_topic_that_comes_later_is_read_from_its_first_record_on(
    bootstrap: str, tmp_path: Path
) -> None:
    """Without a restart: the member joins anew as soon as the broker lists the topic."""
    async with run_results(bootstrap, tmp_path) as results:
        await create_topics(bootstrap, ALL_TOPICS)
        await publish(bootstrap, "session_late", "stt")
        session = await eventually(lambda: results.get("/sessions/session_late"))

    assert stages_of(session) == ["stt"]
