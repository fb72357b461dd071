from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

COMMAND = (sys.executable, "-m", "pipeline.local.cloud_logging")
NEEDED = {"GOOGLE_CLOUD_PROJECT": "p"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_it_is_told_to_stop(number):
    """The server listens, and ends in good order."""
    with subprocess.Popen(COMMAND, env={**NEEDED, "PORT": "0"}, stderr=subprocess.PIPE) as server:
        assert server.stderr
        line = server.stderr.readline().decode()
        port = int(line.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), timeout=60).close()

        server.send_signal(number)

        assert server.wait(60) == 0
    assert line.startswith("listening on 127.0.0.1:")


def test_flags_go_before_variables_and_switches_change_while_it_runs():
    """Each switch is a flag; the admin endpoint is where the second line says."""
    flags = ("--port", "0", "--admin-port", "0", "--latency-s", "0.5")
    environment = {**NEEDED, "LATENCY_S": "9"}
    with subprocess.Popen((*COMMAND, *flags), env=environment, stderr=subprocess.PIPE) as server:
        assert server.stderr
        lines = [server.stderr.readline().decode().strip() for _ in range(2)]
        url = lines[1].removeprefix("switches at ")
        connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("PATCH", urlsplit(url).path, b'{"jitter_s": 1}')
        switches = json.load(connection.getresponse())
        server.terminate()

        assert server.wait(60) == 0
    assert (switches["latency_s"], switches["jitter_s"]) == (0.5, 1.0)


def test_taken_port_is_one_line():
    """A port that somebody has is an error, not a server that shares it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = {**NEEDED, "PORT": str(taken.getsockname()[1])}

        result = subprocess.run(COMMAND, env=environment, capture_output=True, timeout=60, check=False)

    assert result.returncode == 1
    assert b"Failed to bind to address" in result.stderr
    assert b"Traceback" not in result.stderr
