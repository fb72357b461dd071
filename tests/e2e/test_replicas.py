"""Two orchestrators and two media servers: any of them may have a caller, and any of them may be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from tests.e2e.conftest import CALL_S, REPLY_S, Live, eventually, run, run_stack
from tests.e2e.watching import kept_away

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(600)]

ORCHESTRATORS = ("orchestrator", "orchestrator-2")
MEDIA_SERVERS = ("media-server", "media-server-2")
SENTENCES = ("what are your opening hours", "i would like to book a table")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A stack of two and two, for all tests of this file."""
    replicas = ("--replicas", "orchestrator=2,media-server=2")
    with run_stack(tmp_path_factory.mktemp("replicas"), *replicas) as live:
        yield live


def _pods(stack: Live) -> dict:
    return json.loads((stack.folder / ".stack/stack.json").read_text())["pods"]


def _command(stack: Live, media_server: str, orchestrators: tuple[str, ...], *sentences: str) -> list[str]:
    """A caller who is sent to exactly these replicas."""
    ports = {key: pod["port"] for key, pod in _pods(stack).items()}
    command = [sys.executable, "-m", "pipeline.frontend", "--voice", "rms", "--reply-timeout", REPLY_S]
    command += ["--whip", f"http://127.0.0.1:{ports[media_server]}/whip"]
    for orchestrator in orchestrators:
        command += ["--ws", f"ws://127.0.0.1:{ports[orchestrator]}/ws"]
    for sentence in sentences:
        command += ["--say", sentence]
    return command


def test_the_language_model_knows_what_was_said_while_another_replica_led(stack: Live) -> None:
    """The replica that led the first turn is gone for good: the second one's prompt has the first in it."""
    command = _command(stack, "media-server", ORCHESTRATORS, SENTENCES[0], SENTENCES[0])
    with _calling(command) as caller:
        session_id = _read_session_id(caller)
        _wait_for(stack, session_id, "Turn finished", 1)
        (first,) = _find_leaders(stack, session_id)
        with kept_away(stack, first, until=lambda: len(_find_leaders(stack, session_id)) == 2):
            stdout, _ = caller.communicate(timeout=CALL_S)

    assert all(turn["reply"] is not None for turn in json.loads(stdout)["turns"]), _tell(stack, session_id)
    # the instruction and the question; at last what was asked and answered before, too: a busy machine breaks sentences
    # in two, and the second half's prompt has nothing of a first one that it broke off
    eventually(lambda: _read_prompts(stack, session_id)[-1:] >= [4], 120)


def _read_prompts(stack: Live, session_id: str) -> list[int]:
    """How many messages the language model was given in each turn of the session."""
    url = f"http://127.0.0.1:{_pods(stack)['results']['port']}/sessions/{session_id}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        turns = json.load(answer)["turns"]
    return [one["data"]["messages"] for turn in turns for one in turn["stages"] if one["stage"] == "llm"]


def _find_leaders(stack: Live, session_id: str) -> set[str]:
    """The orchestrators that have led turns of this session."""
    pods, text = _pods(stack), "Starting AI pipeline with state tracking"
    logs = ((path, path.read_text()) for path in (stack.folder / ".stack/pods").rglob("*.log"))
    led = [path for path, log in logs if any(text in one and session_id in one for one in log.splitlines())]
    return {name for name in ORCHESTRATORS if any(pods[name]["name"] in str(path) for path in led)}


def _lines(stack: Live, message: str) -> list[dict]:
    """The lines with this message, of all pods, in no order."""
    files = [path.read_text() for path in (stack.folder / ".stack/pods").rglob("*.log")]
    found = [line.split(" ", 3)[3] for text in files for line in text.splitlines() if f'"{message}"' in line]
    return [json.loads(line) for line in found]


def test_every_caller_is_answered_whichever_replicas_have_the_call(stack: Live) -> None:
    """Each pair of replicas: text and voice come, diag finds nothing wrong, nothing is stolen."""
    pairs = list(product(MEDIA_SERVERS, ORCHESTRATORS))

    def call(pair: tuple[str, str]) -> dict:
        command = _command(stack, pair[0], (pair[1],), SENTENCES[0])
        done = run(*command, cwd=Path(__file__).parents[2])
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as callers:
        calls = list(callers.map(call, pairs))

    for call_report in calls:
        (turn,) = call_report["turns"]
        assert turn["reply"] is not None, _tell(stack, call_report["session_id"])
        assert turn["reply_audio_ms"] > 500, _tell(stack, call_report["session_id"])
    for call_report in calls:
        code, answer = stack.judge(call_report["session_id"])
        assert (code, answer["verdict"]["status"]) == (0, "healthy"), answer["verdict"]
    done = stack.diag("topics")
    assert "starved" not in done.stdout
    assert done.returncode == 11, done.stdout  # the forgotten topic, and nothing of the audio path


def test_a_session_goes_on_when_the_orchestrators_are_killed_and_replaced(stack: Live) -> None:
    """Killed in the middle of a turn, then rolled in the middle of the next: each is answered, once."""
    command = _command(stack, "media-server", ORCHESTRATORS, *SENTENCES, SENTENCES[0])
    with _calling(command) as caller:
        session_id = _read_session_id(caller)
        _wait_for(stack, session_id, "Starting AI pipeline with state tracking", 2)
        for orchestrator in ORCHESTRATORS:
            os.kill(_pods(stack)[orchestrator]["pid"], signal.SIGKILL)
        _wait_for(stack, session_id, "Speech ended", 3)
        for orchestrator in ORCHESTRATORS:
            done = run(sys.executable, "-m", "pipeline", "restart", orchestrator, cwd=stack.folder)
            assert done.returncode == 0, done.stderr
        stdout, _ = caller.communicate(timeout=CALL_S)
    report = json.loads(stdout)
    lines = {
        message: [line for line in _lines(stack, message) if line.get("session_id") == session_id]
        for message in (
            "Session recovered after a restart",
            "Frontend is back on its session",
            "Reply audio sent to the caller",
        )
    }

    assert [turn["reply"] is not None for turn in report["turns"]] == [True] * 3, _tell(stack, session_id)
    assert all(turn["reply_audio_ms"] > 500 for turn in report["turns"]), _tell(stack, session_id)
    assert lines["Session recovered after a restart"]
    assert lines["Frontend is back on its session"]
    spoken = [line["turn_id"] for line in lines["Reply audio sent to the caller"]]
    assert len(spoken) == len(set(spoken))  # none is spoken twice
    _, answer = stack.judge(session_id)
    assert [turn["outcome"] for turn in answer["turns"]] == ["answered"] * 3, answer["turns"]
    assert answer["verdict"]["status"] in {"healthy", "degraded"}, answer["verdict"]


def _tell(stack: Live, session_id: str) -> str:
    """All lines of a session, for whoever reads why a test failed."""
    files = [path.read_text() for path in (stack.folder / ".stack/pods").rglob("*.log")]
    return "\n".join(sorted(line for text in files for line in text.splitlines() if session_id in line))


@contextmanager
def _calling(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A caller on the line, who is gone afterwards."""
    folder = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdout=pipe, stderr=pipe, text=True) as caller:
        try:
            yield caller
        finally:
            caller.kill()


def _read_session_id(caller: subprocess.Popen[str]) -> str:
    """What the caller says when it is connected."""
    assert caller.stderr is not None
    said: list[str] = []
    for line in caller.stderr:
        said.append(line)
        if line.startswith("connected"):
            return line.split()[-1]
    raise AssertionError("".join(said))


def _wait_for(stack: Live, session_id: str, message: str, times: int) -> None:
    """Until the session has so many lines with this message."""
    eventually(lambda: sum(line["session_id"] == session_id for line in _lines(stack, message)) >= times, 120)
