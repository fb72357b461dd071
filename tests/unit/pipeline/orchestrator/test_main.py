"""The orchestrator as a process: it serves its sockets without Kafka, and ends by a signal."""

from __future__ import annotations

import json

import aiohttp

ENVIRONMENT = {
    "PORT": "0",
    "KAFKA_BOOTSTRAP": "127.0.0.1:9",
    "STT_URL": "http://127.0.0.1:9",
    "LLM_URL": "http://127.0.0.1:9",
    "TTS_URL": "http://127.0.0.1:9",
}


async def test_it_serves_its_sockets_without_kafka(start_service) -> None:
    """Alive, not ready, and its clients are told when it goes."""
    service = await start_service("orchestrator", **ENVIRONMENT)
    port = None
    while port is None:
        line = json.loads(await service.process.stdout.readline())
        port = line.get("port")
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        client.ws_connect("/ws") as socket,
    ):
        await socket.send_json({"event": "ping"})
        assert await socket.receive_json(timeout=60) == {"event": "pong"}
        async with client.get("/readyz") as ready:
            assert (await ready.json())["missing"] == ["audio-consumer", "kafka", "other-replicas"]
        service.process.terminate()
        assert (await socket.receive(timeout=60)).data == 1001
    status, stdout, stderr = await service.end()

    assert (status, stderr) == (0, b"")
    assert json.loads(stdout.splitlines()[-1])["message"] == "Service stopped"


async def test_wrong_settings_are_one_line(start_service) -> None:
    """Status 2, and nothing on stdout."""
    service = await start_service("orchestrator", **{**ENVIRONMENT, "TTS_VOICE": "kal"})

    assert await service.end() == (2, b"", b"TTS_VOICE='kal' is none of rms, slt\n")
