"""How connections get to a broker: straight, or through a tunnel that somebody else opens.

The names that brokers advertise stay what they are: only the bytes take another way, so that TLS still
checks the certificate against the advertised name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiokafka.client
from aiokafka import conn
from aiokafka.conn import AIOKafkaConnection

from diag.errors import SourceError
from diag.model.tunnel import Tunnel

_tunnel: ContextVar[Tunnel | None] = ContextVar("tunnel", default=None)


class NoWayError(ConnectionError):
    """The tunnel does not lead there: to the library one more address that can not be reached."""

    def __init__(self, cause: SourceError) -> None:
        super().__init__(str(cause))
        self.hint = cause.hint


@contextmanager
def through(tunnel: Tunnel | None) -> Iterator[None]:
    """Inside of it every connection to a broker goes through `tunnel`; None: straight."""
    if tunnel is not None:
        # The library has no public way to say how it connects (aiokafka 0.14, client.py and conn.py).
        aiokafka.client.create_conn = create_conn
    token = _tunnel.set(tunnel)
    try:
        yield
    finally:
        _tunnel.reset(token)


def is_tunnelled() -> bool:
    """Whether connections go through a tunnel here."""
    return _tunnel.get() is not None


async def create_conn(host: str, port: int, **arguments: Any) -> AIOKafkaConnection:
    """As the library's own, on the way that is in force."""
    tunnel = _tunnel.get()
    if tunnel is None:
        return await conn.create_conn(host, port, **arguments)
    connection = AIOKafkaConnection(host, port, **arguments)
    connection._loop = _Loop(connection._loop, tunnel)  # noqa: SLF001  there is no public way
    await connection.connect()
    return connection


async def open_connection(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As asyncio's own, on the way that is in force."""
    tunnel = _tunnel.get()
    if tunnel is None:
        return await asyncio.open_connection(host, port, ssl=tls)
    return await asyncio.open_connection(**await _enter(tunnel, host, port, tls))


class _Loop:
    """The event loop as one connection sees it: it connects through the tunnel, all else is the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tunnel: Tunnel) -> None:
        self._loop = loop
        self._tunnel = tunnel

    async def create_connection(
        self, protocol: Any, host: str, port: int, *, ssl: ssl.SSLContext | None = None
    ) -> Any:
        """As the loop's own."""
        return await self._loop.create_connection(protocol, **await _enter(self._tunnel, host, port, ssl))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def _enter(tunnel: Tunnel, host: str, port: int, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """What asyncio needs to speak through the tunnel as it would with `host`."""
    try:
        opened = await tunnel.open(host, port)
    except SourceError as error:
        raise NoWayError(error) from error
    return {
        "sock": socket.socket(fileno=opened),
        "ssl": tls,
        "server_hostname": host if tls is not None else None,
    }
