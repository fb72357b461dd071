"""The recogniser's process: it has the model, it is bounded, it is replaced when it is lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal

import pytest

from pipeline.stt import recogniser as recogniser_module
from pipeline.stt.recogniser import Recogniser, RecogniserError
from pipeline.wire.log_lines import Log


@pytest.fixture
async def recogniser(lines, monkeypatch):
    """A recogniser whose task runs."""
    monkeypatch.setattr(recogniser_module, "_RESTART_PAUSE_S", 0.01)
    recogniser = Recogniser(Log("stt-service"))
    task = asyncio.create_task(recogniser.run())
    yield recogniser
    task.cancel()
    await asyncio.wait({task})


def _pids() -> list[int]:
    return [child.pid for child in multiprocessing.active_children() if child.pid is not None]


async def test_it_is_ready_once_the_model_is_there(recogniser, lines, eventually) -> None:
    """Not before."""
    assert not recogniser.ready
    with pytest.raises(RecogniserError, match="not ready"):
        await recogniser.transcribe(bytes(32_000))
    await eventually(lambda: recogniser.ready)

    assert lines.one("recogniser-ready")["model"] == "pocketsphinx-en-us"
    assert isinstance(await recogniser.transcribe(bytes(32_000)), str)


async def test_a_lost_process_is_replaced(recogniser, lines, eventually) -> None:
    """Readiness tells the truth meanwhile, and what was being transcribed has failed."""
    await eventually(lambda: recogniser.ready)
    (pid,) = _pids()
    transcribing = asyncio.create_task(recogniser.transcribe(bytes(320_000)))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(RecogniserError, match="BrokenProcessPool"):
        await transcribing
    await eventually(lambda: len(lines.named("recogniser-ready")) == 2)

    assert lines.one("recogniser-lost")
    assert recogniser.ready
    assert _pids() != [pid]
    assert isinstance(await recogniser.transcribe(bytes(32_000)), str)


async def test_the_queue_is_bounded(recogniser, eventually, monkeypatch) -> None:
    """One process transcribes one utterance after the other; too many are refused at once."""
    monkeypatch.setattr(recogniser_module, "_MOST_WAITING", 2)
    await eventually(lambda: recogniser.ready)
    waiting = [asyncio.create_task(recogniser.transcribe(bytes(64_000))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RecogniserError, match="too many"):
        await recogniser.transcribe(bytes(64_000))

    assert len(await asyncio.gather(*waiting)) == 2


async def test_its_end_leaves_no_process(lines, eventually) -> None:
    """Also in the middle of an utterance."""
    recogniser = Recogniser(Log("stt-service"))
    task = asyncio.create_task(recogniser.run())
    await eventually(lambda: recogniser.ready)
    transcribing = asyncio.create_task(recogniser.transcribe(bytes(960_000)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task, transcribing}, timeout=60)

    assert isinstance(transcribing.exception(), RecogniserError)
    await eventually(lambda: _pids() == [])
