"""What the tests of the local stack share: waiting for conditions, stand-ins, a logging server."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport

from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.service import LoggingService, build_server
from pipeline.local.cloud_logging.settings import Settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.switches import Switches
from pipeline.local.readiness import wait_until
from pipeline.wire.environment import Listen
from tests import processes

PROJECT = "test-project"

STAND_IN = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

def stop(*_):
    print('{"severity": "INFO", "message": "Service stopped", "service": "x"}', flush=True)
    os._exit(0)

signal.signal(signal.SIGTERM, stop)
server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
print('{"severity": "INFO", "message": "Service started", "service": "x"}', flush=True)
server.serve_forever()
"""


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(condition)`: the first true value of `condition`, or a failure after a minute."""

    def wait(condition: Callable[[], Any], deadline_s: float = 60.0) -> Any:
        end = time.monotonic() + deadline_s
        while not (value := condition()):
            assert time.monotonic() < end, f"not so within {deadline_s} s"
            time.sleep(0.02)
        return value

    return wait


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """As `eventually`, for tests that are coroutines."""

    async def wait(condition: Callable[[], Any], deadline_s: float = 60.0) -> None:
        async def is_so() -> bool:
            return bool(condition())

        assert await wait_until(is_so, deadline_s), f"not so within {deadline_s} s"

    return wait


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Whether a process with this ID runs."""
    return processes.is_alive


@pytest.fixture
def stand_in(tmp_path: Path) -> tuple[str, ...]:
    """The command of a service that answers every GET and stops when it is told to."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN, "utf-8")
    return (sys.executable, str(script))


@pytest.fixture
def make_program(tmp_path: Path) -> Callable[[str, str], Path]:
    """`make_program(name, script)`: an executable shell script in a folder of its own kind."""

    def make(name: str, script: str) -> Path:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)
        return program

    return make


@contextmanager
def open_client(address: str) -> Iterator[LoggingServiceV2Client]:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))


@pytest.fixture
def list_entries() -> Callable[[str, str], list[Any]]:
    """`list_entries(endpoint, project)`: all entries of a logging server that runs elsewhere."""

    def ask(endpoint: str, project: str) -> list[Any]:
        with open_client(endpoint.removeprefix("http://")) as client:
            return list(client.list_log_entries(request={"resource_names": [f"projects/{project}"]}))

    return ask


class Logging:
    """A running logging server and the official client for it."""

    def __init__(self, port: int, client: LoggingServiceV2Client, service: LoggingService) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.client = client
        self.store = service.store
        self.board = service.board
        self.sessions = service.sessions

    def list(self, **parameters: Any) -> list[Any]:
        """All entries, over all pages."""
        return list(self.client.list_log_entries(request=self._request(parameters)))

    def page(self, **parameters: Any) -> Any:
        """One page as it came."""
        return next(iter(self.client.list_log_entries(request=self._request(parameters)).pages))

    def write(self, *entries: Any, **parameters: Any) -> None:
        """Write entries, made by `entry` or as mappings."""
        request = {"entries": list(entries), **parameters}
        self.client.write_log_entries(request=request, retry=None, timeout=60)

    @staticmethod
    def _request(parameters: dict[str, Any]) -> dict[str, Any]:
        return {"resource_names": [f"projects/{PROJECT}"], **parameters}


@pytest.fixture
def start_logging() -> Iterator[Callable[..., Logging]]:
    """`start_logging(**switches)`: a server on the loopback interface, with a client."""
    ends: list[Callable[[], Any]] = []

    def start(port: int = 0, projects: tuple[str, ...] = (PROJECT,), **switches: Any) -> Logging:
        settings = Settings(Listen("127.0.0.1", port), projects)
        service = LoggingService(settings, EntryStore(), Switchboard(Switches(**switches)))
        server, bound_port = build_server(service)
        server.start()
        ends.append(lambda: server.stop(None).wait())
        context = open_client(f"127.0.0.1:{bound_port}")
        client = context.__enter__()
        ends.append(lambda: context.__exit__(None, None, None))
        return Logging(bound_port, client, service)

    yield start
    for end in reversed(ends):
        end()


@pytest.fixture
def logging_server(start_logging: Callable[..., Logging]) -> Logging:
    """A server without quota or delay."""
    return start_logging()


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """`entry(timestamp_s, insert_id, **fields)`: a log entry as the official client takes it."""

    def make(timestamp_s: float, insert_id: str, **fields: Any) -> dict[str, Any]:
        seconds = int(timestamp_s)
        payload = {} if "json_payload" in fields else {"text_payload": "text"}
        return {
            "log_name": f"projects/{PROJECT}/logs/stdout",
            "resource": {"type": "k8s_container", "labels": {"pod_name": "p"}},
            "timestamp": {"seconds": seconds, "nanos": round((timestamp_s - seconds) * 1e9)},
            "insert_id": insert_id,
            **payload,
            **fields,
        }

    return make
