"""The media server as a process: honest without Kafka, ended by a signal."""

from __future__ import annotations

import json

import aiohttp


async def test_it_lives_without_kafka_and_is_not_ready(start_service) -> None:
    """Health and readiness are two questions; SIGTERM ends it within seconds all the same."""
    service = await start_service("media_server", PORT="0", KAFKA_BOOTSTRAP="127.0.0.1:9")
    first = {json.loads(await service.process.stdout.readline())["message"] for _ in range(1)}
    while "Service started" not in first:
        first.add((line := json.loads(await service.process.stdout.readline()))["message"])
        if line["message"] == "Service started":
            port = line["port"]
    async with aiohttp.ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{port}/healthz") as health:
            assert health.status == 200
        async with client.get(f"http://127.0.0.1:{port}/readyz") as ready:
            assert (await ready.json())["missing"] == ["kafka", "reply-consumer"]
    service.process.terminate()
    status, stdout, stderr = await service.end()

    assert (status, stderr) == (0, b"")
    assert json.loads(stdout.splitlines()[-1])["message"] == "Service stopped"


async def test_wrong_settings_are_one_line(start_service) -> None:
    """Status 2, and nothing on stdout."""
    status, stdout, stderr = await (await start_service("media_server")).end()

    assert (status, stdout, stderr) == (2, b"", b"PORT is not set\n")
