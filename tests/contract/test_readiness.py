"""Readiness against a real broker: a service that can do nothing for a caller does not say that it is ready."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pipeline.local.kafka_admin import ALL_TOPICS, create_topics, delete_topic
from pipeline.wire.records import AUDIO_IN
from tests.contract.kafka_broker import run_broker

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio]

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60
NOWHERE = "http://127.0.0.1:9"
READY: list[str] = []


@asynccontextmanager
async def run_service(module: str, bootstrap: str) -> AsyncIterator[str]:
    """The service as a process; its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"pipeline.{module}"),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PORT": "0",
            "KAFKA_BOOTSTRAP": bootstrap,
            **dict.fromkeys(("STT_URL", "LLM_URL", "TTS_URL"), NOWHERE),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    port = json.loads(await process.stdout.readline())["port"]
    reading = asyncio.create_task(process.stdout.read())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert await process.wait() == 0
        await reading


async def missing(url: str, expected: list[str]) -> None:
    """Wait until ``/readyz`` names exactly these as missing."""
    async with aiohttp.ClientSession() as client, asyncio.timeout(DEADLINE_S):
        said: Any = None
        while said != expected:
            async with client.get(f"{url}/readyz") as answer:
                said = (await answer.json()).get("missing", READY)
            await asyncio.sleep(0.1)


async def test_without_the_topic_of_speech_nobody_is_ready(tmp_path: Path) -> None:
    """Before it is made, and once it is deleted: nobody could publish what a caller says, or read it."""
    async with AsyncExitStack() as running:
        broker = await running.enter_async_context(run_broker(tmp_path, lambda properties: properties))
        others = tuple(topic for topic in ALL_TOPICS if topic.name != AUDIO_IN)
        await create_topics(broker.bootstrap, others)
        media = await running.enter_async_context(run_service("media_server", broker.bootstrap))
        await missing(media, ["audio-in"])

        await create_topics(broker.bootstrap, ALL_TOPICS)
        orchestrator = await running.enter_async_context(run_service("orchestrator", broker.bootstrap))
        await asyncio.gather(missing(media, READY), missing(orchestrator, READY))

        await delete_topic(broker.bootstrap, AUDIO_IN)
        await asyncio.gather(missing(media, ["audio-in"]), missing(orchestrator, ["audio-consumer"]))
