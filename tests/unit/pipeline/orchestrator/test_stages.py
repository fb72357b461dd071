"""The stages over HTTP: asked with all IDs, patient where it helps, and clear about failures."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from pipeline.orchestrator import stages as stages_module
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.failures import StageError, Trouble
from pipeline.orchestrator.settings import StageSettings
from pipeline.orchestrator.stages import HttpStages
from pipeline.orchestrator.turn import Turn
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.progress import Place
from pipeline.wire.tracing import parse_traceparent, start_trace
from pipeline.wire.wav import read_wav, to_wav

TRACE = start_trace()
TURN = Turn("turn_0a1b2c3d", Utterance(mint_session_id(), 1, b"\x01\x02", 1, Place(0, 0), TRACE))
REPLY = {"choices": [{"message": {"role": "assistant", "content": " at what time \n"}}]}


class Services:
    """STT, LLM and TTS in one application; `answers` are given in turn, the last one for ever."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict, object]] = []
        self.answers: list = []

    async def handle(self, request: web.Request) -> web.Response:
        body: object = None
        if request.content_type == "multipart/form-data":
            with (await request.post())["file"].file as file:
                body = file.read()
        elif request.can_read_body:
            body = await request.json()
        self.requests.append((request.path_qs, dict(request.headers), body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "hang":
            await asyncio.Event().wait()
        if answer == "cut":
            request.transport.abort()
        if isinstance(answer, int):
            return web.Response(
                status=answer, text="what was said", headers={"Location": "http://example.com"}
            )
        if isinstance(answer, bytes):
            return web.Response(body=answer)
        return web.json_response(answer)


@pytest.fixture
def services() -> Services:
    """What the stages talk to."""
    return Services()


@pytest.fixture
async def stages(services, start_client, monkeypatch):
    """The stages, with little patience."""
    monkeypatch.setattr(stages_module, "BACK_OFF_S", (0.0, 0.0))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", services.handle)
    url = str((await start_client(app)).make_url("")).rstrip("/")
    async with aiohttp.ClientSession() as client:
        yield HttpStages(client, StageSettings(url, url, "restaurant-desk", url, "rms"))


async def test_stt_gets_a_wav_and_all_ids(stages, services) -> None:
    """The audio as a file of a form; session, turn and trace as headers."""
    services.answers = [{"text": " a table please "}]

    assert await stages.transcribe(TURN, b"\x01\x02") == "a table please"
    ((path, headers, body),) = services.requests
    assert (path, read_wav(body)) == ("/transcribe", b"\x01\x02")
    assert (headers["X-Session-ID"], headers["X-Turn-ID"]) == (TURN.session_id, TURN.turn_id)
    assert parse_traceparent(headers["traceparent"]).trace_id == TRACE.trace_id


async def test_llm_gets_the_messages(stages, services) -> None:
    """In OpenAI's shape."""
    services.answers = [REPLY]
    messages = [{"role": "user", "content": "a table please"}]

    assert await stages.generate(TURN, messages) == "at what time"
    ((path, _, body),) = services.requests
    assert (path, body) == ("/v1/chat/completions", {"model": "restaurant-desk", "messages": messages})


async def test_tts_gets_the_text(stages, services) -> None:
    """In the query, escaped, not longer than it takes."""
    services.answers = [to_wav(b"\x03\x04")]

    assert await stages.synthesize(TURN, "at what time & why? " + "x" * 600) == b"\x03\x04"
    path = services.requests[0][0]
    assert path.startswith("/synthesize?text=at+what+time+%26+why?+xxx")
    assert path.endswith("&voice=rms")
    assert path.count("x") == 480 + 1  # and the one of the field's name


@pytest.mark.parametrize("trouble", [500, 503, "cut"])
async def test_passing_trouble_is_waited_out(stages, services, trouble: object) -> None:
    """5xx and broken connections: the third attempt counts."""
    services.answers = [trouble, trouble, {"text": "hello"}]

    assert await stages.transcribe(TURN, b"\x01\x02") == "hello"
    assert len(services.requests) == 3


@pytest.mark.parametrize("trouble", [500, "cut"])
async def test_lasting_trouble_is_a_failure(stages, services, trouble: object) -> None:
    """After three attempts, and the text says so."""
    services.answers = [trouble]

    with pytest.raises(StageError, match=r"\(attempt 3\)$") as caught:
        await stages.transcribe(TURN, b"\x01\x02")
    assert caught.value.trouble is (Trouble.UNREACHABLE if trouble == "cut" else Trouble.REFUSED)
    assert len(services.requests) == 3


async def test_nobody_there_is_a_failure(stages, monkeypatch) -> None:
    """No service listens on the discard port."""
    dead = StageSettings(*["http://127.0.0.1:9"] * 2, "m", "http://127.0.0.1:9", "rms")
    async with aiohttp.ClientSession() as client:
        with pytest.raises(StageError, match="connection failed: ClientConnectorError"):
            await HttpStages(client, dead).transcribe(TURN, b"\x01\x02")


@pytest.mark.parametrize("status", [302, 400, 404, 413])
async def test_a_refusal_is_final(stages, services, status: int) -> None:
    """The same request would be refused again; a redirect is not followed; the body is not told."""
    services.answers = [status]

    with pytest.raises(StageError, match=rf"^status {status}$"):
        await stages.transcribe(TURN, b"\x01\x02")
    assert len(services.requests) == 1


async def test_a_stage_that_hangs_is_a_failure(stages, services, monkeypatch) -> None:
    """After the timeout."""
    monkeypatch.setattr(stages_module, "TIMEOUT_S", 0.05)
    services.answers = ["hang"]

    with pytest.raises(StageError, match="no answer within") as caught:
        await stages.transcribe(TURN, b"\x01\x02")
    assert caught.value.trouble is Trouble.LATE


@pytest.mark.parametrize(
    "answer", [[], {}, {"text": 7}, {"text": "half a smile: \ud83d"}, "text", b"no JSON", b"[" * 100_000]
)
async def test_an_answer_of_another_shape_is_a_failure(stages, services, answer: object) -> None:
    """Whatever the service says."""
    services.answers = [answer]

    with pytest.raises(StageError, match="not of the agreed shape"):
        await stages.transcribe(TURN, b"\x01\x02")


@pytest.mark.parametrize(
    "answer", [{"choices": []}, {"choices": [{"message": {"content": None}}]}, {"choices": 7}]
)
async def test_a_completion_of_another_shape_is_a_failure(stages, services, answer: object) -> None:
    """Also null, which the API allows for tools."""
    services.answers = [answer]

    with pytest.raises(StageError, match="not of the agreed shape"):
        await stages.generate(TURN, [])


async def test_an_empty_reply_is_a_failure(stages, services) -> None:
    """There is nothing to say."""
    services.answers = [{"choices": [{"message": {"content": " "}}]}]

    with pytest.raises(StageError, match="the reply is empty"):
        await stages.generate(TURN, [])


async def test_speech_that_is_no_wav_is_a_failure(stages, services) -> None:
    """A JSON error with status 200, say."""
    services.answers = [{"error": "..."}]

    with pytest.raises(StageError, match="the answer is no speech"):
        await stages.synthesize(TURN, "hello")


async def test_speech_without_a_sound_is_a_failure(stages, services) -> None:
    """No media server could play it: the caller would hear nothing, and nothing would say why."""
    services.answers = [to_wav(b"")]

    with pytest.raises(StageError, match="the speech is empty") as caught:
        await stages.synthesize(TURN, "hello")
    assert caught.value.trouble is Trouble.EMPTY


async def test_an_endless_answer_is_a_failure(stages, services, monkeypatch) -> None:
    """Bounded while it is read."""
    monkeypatch.setattr(stages_module, "_LARGEST_BYTES", 1000)
    services.answers = [b"x" * 100_000]

    with pytest.raises(StageError, match="larger than 1000 bytes"):
        await stages.transcribe(TURN, b"\x01\x02")
