"""How long a client may let the server wait: for the head of its first request, and for a body.

aiohttp has no limit for either: a client that opens a connection and says nothing, or half of something,
would hold it for an hour, and one that stops in its body for ever. Between two requests a connection may be
quiet for as long as aiohttp lets it: a load balancer keeps its connections for minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from pipeline.wire.background import end_tasks
from pipeline.wire.ending import CLOSE_S
from pipeline.wire.refusals import RequestRefusedError

HEAD_S = 20.0
BODY_S = 5.0

_LOOK_EVERY_S = 5.0


class Connection(Protocol):
    """What of aiohttp's connections is used here."""

    def force_close(self) -> None:
        """Close it, whatever it does."""
        ...


class SilentConnections:
    """Which connections have not asked anything yet, and since when."""

    def __init__(self) -> None:
        self._spoke: set[object] = set()
        self._since: dict[Connection, float] = {}

    def note(self, connection: object) -> None:
        """It has asked something."""
        self._spoke.add(connection)

    def close_late(self, connections: Iterable[Connection], now: float) -> None:
        """Close those of the open `connections` that have been silent for `HEAD_S`; `now` is in seconds."""
        connections = set(connections)
        self._spoke &= connections
        self._since = {one: self._since.get(one, now) for one in connections - self._spoke}
        for connection, since in self._since.items():
            if now - since >= HEAD_S:
                connection.force_close()


def limit_silence(app: web.Application, find_server: Callable[[], web.Server | None]) -> None:
    """Have the server of `app` close connections that do not ask anything; it is found once it serves."""
    silent = SilentConnections()

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        silent.note(request.protocol)
        return await handler(request)

    async def look() -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            server = find_server()
            if server is not None:
                silent.close_late(server.connections, asyncio.get_running_loop().time())

    async def keep_looking(_app: web.Application) -> AsyncIterator[None]:
        looking = asyncio.create_task(look(), name="silent connections")
        yield
        await end_tasks({looking}, CLOSE_S)

    app.middlewares.insert(0, note)
    app.cleanup_ctx.append(keep_looking)


async def read_body(request: web.Request) -> bytes:
    """The whole body, up to the application's bound; raises `RequestRefusedError` (408)."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError as error:
        raise RequestRefusedError(408, f"the body did not come within {BODY_S:g} s") from error
