from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from pipeline.local.cri import Piece, format_line, log_path
from pipeline.local.pods import mint_pod
from pipeline.local.readiness import choose_ports


@pytest.fixture
def start_agent(tmp_path):
    """`start_agent(endpoint)`: the agent's process over `tmp_path`; it is ended after the test."""
    processes = []

    def start(endpoint):
        environment = {
            "PODS_DIR": str(tmp_path),
            "LOGGING_ENDPOINT": endpoint,
            "GOOGLE_CLOUD_PROJECT": "test-project",
            "CLUSTER_NAME": "c",
            "CLUSTER_LOCATION": "l",
            "NODE_NAME": "n",
        }
        command = (sys.executable, "-m", "pipeline.local.log_agent")
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def log(tmp_path):
    """`log(text, ...)`: appends lines to the log of one pod."""
    path = log_path(tmp_path, mint_pod("service", "ns", "t"), 0)
    path.parent.mkdir(parents=True)

    def append(*texts):
        with path.open("ab") as file:
            for text in texts:
                file.write(format_line(1_767_225_600_000_000_000, "stderr", Piece(text.encode())))

    return append


def list_texts(logging_server):
    return [entry.text_payload for entry in logging_server.list()]


def test_agent_that_is_started_again_makes_no_duplicates(start_agent, log, logging_server, eventually):
    """It reads everything again, and every entry is there once, in the order of its file."""
    log("one", "two")
    first = start_agent(logging_server.endpoint)
    eventually(lambda: list_texts(logging_server) == ["one", "two"])
    first.kill()
    log("three")

    start_agent(logging_server.endpoint)

    eventually(lambda: list_texts(logging_server) == ["one", "two", "three"])


def test_agent_waits_for_its_server(start_agent, log, start_logging, eventually):
    """An agent that is there first loses nothing of what was written before the server came."""
    (port,) = choose_ports(1)
    log("early")
    agent = start_agent(f"http://127.0.0.1:{port}")
    assert agent.stderr
    assert agent.stderr.readline().startswith(b"entries not sent, trying again:")

    server = start_logging(port=port)

    eventually(lambda: list_texts(server) == ["early"])


def test_sigterm_flushes(start_agent, log, logging_server, eventually):
    """What was written before SIGTERM is sent before the end, and the end is in good order."""
    log("first")
    agent = start_agent(logging_server.endpoint)
    eventually(lambda: list_texts(logging_server) == ["first"])
    log(*(f"last {number}" for number in range(3000)))

    agent.send_signal(signal.SIGTERM)

    assert agent.wait(60) == 0
    assert len(list_texts(logging_server)) == 3001


def test_wrong_settings_are_one_line():
    """A missing variable is named, without a traceback."""
    command = (sys.executable, "-m", "pipeline.local.log_agent")

    result = subprocess.run(command, check=False, env={}, capture_output=True, timeout=60)

    assert (result.returncode, result.stderr) == (2, b"PODS_DIR is not set\n")
