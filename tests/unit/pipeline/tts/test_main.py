"""The TTS service as a process."""

from __future__ import annotations

import json


async def test_it_ends_by_a_signal(start_service) -> None:
    """In good order, with contract lines on stdout and nothing on stderr."""
    service = await start_service("tts", PORT="0")
    first = json.loads(await service.process.stdout.readline())
    service.process.terminate()
    status, stdout, stderr = await service.end()

    assert (first["message"], first["service"]) == ("Service started", "tts-service")
    assert (status, stderr) == (0, b"")
    assert [json.loads(line)["message"] for line in stdout.splitlines()] == [
        "Shutting down",
        "Service stopped",
    ]


async def test_wrong_settings_are_one_line(start_service) -> None:
    """Status 2, and nothing on stdout."""
    status, stdout, stderr = await (await start_service("tts", PORT="0", HOST="0.0.0.0")).end()  # noqa: S104 - refused

    assert (status, stdout, stderr) == (2, b"", b"HOST='0.0.0.0' is not an address of 127.0.0.0/8\n")
