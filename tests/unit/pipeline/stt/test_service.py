"""The STT service from outside: real speech through the real model, and clear refusals."""

from __future__ import annotations

import io

import aiohttp
import pytest

from pipeline.stt import service as service_module
from pipeline.stt.service import build_service
from pipeline.wire.correlation import Correlation
from pipeline.wire.flite import speak
from pipeline.wire.identifiers import derive_turn_id, mint_session_id
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.tracing import start_trace
from pipeline.wire.wav import to_wav


@pytest.fixture
async def client(start_client, lines):
    """A client of the service, whose model may still be loading."""
    return await start_client(build_service(Log("stt-service")))


async def _upload(client, content: bytes, name: str = "file", headers: dict | None = None):
    form = aiohttp.FormData()
    form.add_field("language", "en")
    form.add_field(name, io.BytesIO(content), filename="audio.wav", content_type="audio/wav")
    return await client.post("/transcribe", data=form, headers=headers)


@pytest.mark.part("flite")
async def test_speech_becomes_text(client, lines, eventually) -> None:
    """A sentence of flite is understood; its words stand in the answer and in no line."""
    await eventually(lambda: lines.named("recogniser-ready"))
    correlation = Correlation(mint_session_id(), derive_turn_id("session", 0, 0), start_trace())
    wav = to_wav(await speak("Do you have a table for two tonight", "rms"))
    response = await _upload(client, wav, headers=correlation.to_headers())
    body = await response.json()
    done = lines.one("transcription-completed")

    assert response.status == 200
    assert {"table", "two"} <= set(body["text"].split())
    assert body["model"] == "pocketsphinx-en-us"
    assert (done["chars"], done["audio_ms"]) == (len(body["text"]), body["audio_ms"])
    assert (done["session_id"], done["turn_id"]) == (correlation.session_id, correlation.turn_id)
    assert done[TRACE_KEY] == correlation.trace.trace_id
    assert "table" not in str(lines.all)


async def test_it_is_ready_when_its_model_is(client, lines, eventually) -> None:
    """Not a moment before."""
    early = await client.get("/readyz")
    early_upload = await _upload(client, to_wav(b"\x00\x10" * 16_000))
    await eventually(lambda: lines.named("recogniser-ready"))
    later = await client.get("/readyz")

    assert (early.status, await early.json()) == (503, {"status": "not ready", "missing": ["model"]})
    assert early_upload.status == 503
    assert lines.one("transcription-failed")["error"] == "the recogniser is not ready"
    assert later.status == 200


@pytest.mark.parametrize("pcm", [b"", bytes(64_000)])
async def test_silence_has_no_words(client, lines, pcm: bytes) -> None:
    """It is answered without the model, which would find one."""
    response = await _upload(client, to_wav(pcm))

    assert (response.status, (await response.json())["text"]) == (200, "")


@pytest.mark.parametrize(
    ("content", "name", "status"),
    [
        (b"no WAV", "file", 400),
        (b"", "file", 400),
        (to_wav(b"ab"), "audio", 400),
        (bytes(3_000_000), "file", 413),
    ],
)
async def test_a_wrong_upload_is_refused(client, lines, content: bytes, name: str, status: int) -> None:
    """In words, with its line."""
    response = await _upload(client, content, name)

    assert response.status == status
    assert (await response.json())["error"] == lines.one("request-refused")["error"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("audio/wav", 415), ("multipart/form-data", 400), ("multipart/form-data; boundary=x", 400)],
)
async def test_a_request_that_is_no_form_is_refused(client, lines, content_type: str, status: int) -> None:
    """Also one that only says it is."""
    response = await client.post("/transcribe", data=b"RIFF", headers={"Content-Type": content_type})

    assert response.status == status
    assert lines.one("request-refused")["status"] == status


async def test_an_upload_that_never_ends_is_refused(client, lines, monkeypatch) -> None:
    """A slow client does not hold a place for ever."""
    monkeypatch.setattr(service_module, "_UPLOAD_TIMEOUT_S", 0.05)

    async def drip():
        yield b"--x\r\n"
        await client.session.get(client.make_url("/healthz"))
        while not lines.named("request-refused"):
            await client.session.get(client.make_url("/healthz"))
        yield b"--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post("/transcribe", data=drip(), headers=headers)

    assert response.status == 408
