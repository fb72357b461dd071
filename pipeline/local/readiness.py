"""Waiting for something to be so, with a deadline: free ports, open ports, HTTP that answers."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
POLL_S = 0.03
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_EPHEMERAL = 32_768
_CANDIDATES = 12_000


def choose_ports(count: int) -> list[int]:
    """`count` ports that are free on the loopback address.

    They lie below the kernel's ephemeral range: no outgoing connection can take one of them between
    this choice and the service's own bind.
    """
    top = _read_ephemeral_start()
    candidates = random.sample(range(top - _CANDIDATES, top), _CANDIDATES)
    free = (port for port in candidates if _is_free(port))
    return [next(free) for _ in range(count)]


def _read_ephemeral_start() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _DEFAULT_EPHEMERAL


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


async def wait_until(condition: Callable[[], Awaitable[bool]], deadline_s: float) -> bool:
    """Whether `condition` came true before `deadline_s` seconds were over."""
    end = time.monotonic() + deadline_s
    while not await condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(POLL_S)
    return True


async def is_open(port: int) -> bool:
    """Whether something on the loopback address accepts connections on `port`."""
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    await _close(writer)
    return True


async def answers_ok(port: int, path: str) -> bool:
    """Whether ``GET path`` on `port` of the loopback address answers 200."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode())
        status_line = await asyncio.wait_for(reader.readline(), timeout=2.0)
    except (OSError, TimeoutError):
        return False
    finally:
        await _close(writer)
    return status_line.split()[1:2] == [b"200"]


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
