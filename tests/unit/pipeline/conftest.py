"""What the tests of the services share: their log lines, a client for an application, waiting."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from pipeline.wire.kafka import OutgoingRecord, Placed, PublishError
from pipeline.wire.log_lines import load_contract

REPOSITORY = Path(__file__).resolve().parents[3]


class Lines:
    """The lines that were written, as flat objects with `message` and the fields."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def named(self, name: str) -> list[dict[str, Any]]:
        """Those of the contract's message `name`."""
        text = load_contract()[name].text
        return [line for line in self.all if line["message"] == text]

    def one(self, name: str) -> dict[str, Any]:
        """The only one of that name."""
        (line,) = self.named(name)
        return line

    def names(self) -> list[str]:
        """The names of all, in order."""
        by_text = {message.text: name for name, message in load_contract().items()}
        return [by_text[line["message"]] for line in self.all]

    def keep(self, _logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """A structlog processor."""
        fields = line.pop("fields")
        self.all.append({"message": line.pop("event"), **line, **fields})
        raise structlog.DropEvent


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log lines of the test."""
    kept = Lines()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, kept.keep], cache_logger_on_first_use=False
    )
    yield kept
    structlog.reset_defaults()


@dataclass
class MemoryPublisher:
    """Stands for Kafka: keeps the records, answers with offsets, fails where it is told to."""

    records: list[OutgoingRecord] = field(default_factory=list)
    missing: str | None = None
    refused: str | None = None
    held: asyncio.Event | None = None

    async def send(self, record: OutgoingRecord) -> MemoryAcknowledgement:
        """As `Publisher.send`."""
        if self.missing is not None:
            raise PublishError(self.missing)
        self.records.append(record)
        return MemoryAcknowledgement(self, len(self.records) - 1)


@dataclass
class MemoryAcknowledgement:
    """The answer to one record."""

    publisher: MemoryPublisher
    offset: int

    async def placed(self) -> Placed:
        """As `Acknowledgement.placed`."""
        if self.publisher.held is not None:
            await self.publisher.held.wait()
        if self.publisher.refused is not None:
            raise PublishError(self.publisher.refused)
        return Placed(0, self.offset)


@pytest.fixture
def publisher() -> MemoryPublisher:
    """A Kafka in memory."""
    return MemoryPublisher()


Client = TestClient[web.Request, web.Application]
StartClient = Callable[[web.Application], Awaitable[Client]]


@pytest.fixture
async def start_client() -> AsyncIterator[StartClient]:
    """Serves applications on the loopback interface and gives a client for each."""
    clients: list[Client] = []

    async def start(app: web.Application) -> Client:
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


Eventually = Callable[..., Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Waits until a condition holds, and fails the test at the deadline."""

    async def wait(condition: Callable[[], object], deadline_s: float = 60.0) -> None:
        async with asyncio.timeout(deadline_s):
            while not condition():
                await asyncio.sleep(0.01)

    return wait


@dataclass
class Service:
    """A service as a process of its own."""

    process: asyncio.subprocess.Process

    async def end(self) -> tuple[int, bytes, bytes]:
        """Its status, what it wrote to stdout, what to stderr; the test fails if it does not end."""
        async with asyncio.timeout(60):
            stdout, stderr = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, stdout, stderr


StartService = Callable[..., Awaitable[Service]]


@pytest.fixture
async def start_service() -> AsyncIterator[StartService]:
    """Starts ``python -m pipeline.<service>`` with nothing but the given environment."""
    started: list[asyncio.subprocess.Process] = []

    async def start(service: str, *arguments: str, **environment: str) -> Service:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"pipeline.{service}", *arguments),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **environment},
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return Service(process)

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()
