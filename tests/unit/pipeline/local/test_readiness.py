from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from pipeline.local.readiness import answers_ok, choose_ports, is_open, wait_until


def test_ports_are_free_and_differ():
    """Each port can be bound, and none is given out twice."""
    ports = choose_ports(20)

    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_ports_are_below_the_ephemeral_range():
    """No outgoing connection of anybody can take a chosen port before its service does."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert max(choose_ports(20)) < lowest


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"garbage\r\n", False),
        (b"", False),
    ],
)
async def test_only_200_is_ready(answer, expected):
    """A service that answers anything else, or nothing, is not ready yet."""

    async def serve(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await answers_ok(port, "/readyz") is expected
        assert await is_open(port)


async def test_closed_port_is_neither_open_nor_ready():
    """Nobody there is an answer too."""
    (port,) = choose_ports(1)

    assert not await is_open(port)
    assert not await answers_ok(port, "/readyz")


async def test_waiting_has_an_end():
    """A condition that never comes true is given up at its deadline."""

    async def never():
        return False

    assert not await wait_until(never, 0.05)


async def test_waiting_ends_with_the_condition():
    """What is true at once is not waited for."""

    async def at_once():
        return True

    assert await wait_until(at_once, 0.0)
