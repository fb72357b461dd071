"""The TTS service from outside: real speech, and clear refusals."""

from __future__ import annotations

import pytest

from pipeline.tts.service import build_service
from pipeline.tts.settings import Settings
from pipeline.wire.environment import Listen
from pipeline.wire.log_lines import Log
from pipeline.wire.records import BYTES_PER_MS
from pipeline.wire.wav import read_wav


@pytest.fixture
async def client(start_client, lines):
    """A client of the service."""
    return await start_client(build_service(Settings(Listen("127.0.0.1", 0), "rms"), Log("tts-service")))


@pytest.mark.part("flite")
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_text_becomes_speech(client, lines, method: str) -> None:
    """As WAV, with its size and the time it took; the words stand in no line."""
    fields = {"text": "We are open every day", "voice": "slt"}
    response = await client.request(
        method, "/synthesize", **({"params": fields} if method == "GET" else {"json": fields})
    )
    body = await response.read()

    assert (response.status, response.content_type) == (200, "audio/wav")
    assert len(read_wav(body)) > 500 * BYTES_PER_MS
    assert int(response.headers["X-Audio-Size"]) == len(body) == lines.one("synthesis-completed")["bytes"]
    assert 0 < float(response.headers["X-Processing-Time"]) < 10
    assert (lines.one("synthesis-started")["voice"], lines.one("synthesis-started")["chars"]) == ("slt", 21)
    assert "open" not in str(lines.all)


@pytest.mark.part("flite")
async def test_it_is_ready_where_flite_is(client, monkeypatch) -> None:
    """Asked anew each time."""
    assert (await client.get("/readyz")).status == 200
    monkeypatch.setenv("PATH", "/nonexistent")
    response = await client.get("/readyz")

    assert (response.status, (await response.json())["missing"]) == (503, ["flite"])


async def test_without_flite_a_request_fails_in_words(client, lines, monkeypatch) -> None:
    """500, and a line that names what is missing."""
    monkeypatch.setenv("PATH", "/nonexistent")
    response = await client.get("/synthesize", params={"text": "hello"})

    assert response.status == 500
    assert lines.one("synthesis-failed")["error"] == "the program flite is not installed"


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"[]", 400), (b"{", 400), (b'{"text": ""}', 400), (b"x" * 20_000, 413)]
)
async def test_a_wrong_request_is_refused(client, lines, body: bytes, status: int) -> None:
    """In words, with its line."""
    response = await client.post("/synthesize", data=body)

    assert response.status == status
    assert (await response.json())["error"] == lines.one("request-refused")["error"]
