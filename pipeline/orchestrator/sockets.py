"""The WebSockets of the frontends: one task each, bound to sessions, closed in good order."""

from __future__ import annotations

import asyncio

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from pipeline.orchestrator import protocol
from pipeline.orchestrator.bindings import SocketBindings
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.memory import SentMessage
from pipeline.orchestrator.protocol import LARGEST_BYTES, MessageError, Ping, SessionInfo, read_message
from pipeline.wire.identifiers import mint_connection_id
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.refusals import RequestRefusedError

TAKEN_OVER = 4000

_MOST_SOCKETS = 1_000
_HEARTBEAT_S = 20.0
_CLOSE_TIMEOUT_S = 1.0
_SEND_TIMEOUT_S = 5.0


class SendError(Exception):
    """A message could not be handed to its socket; the text is fit for a log line."""


class _Connection:
    """One open socket, with the session that it was last bound to and its own log."""

    def __init__(self, socket: web.WebSocketResponse, log: Log) -> None:
        self.connection_id = mint_connection_id()
        self.session_id: str | None = None
        self.confirmed = False
        self.closed_with: int | None = None
        self.socket = socket
        self._base_log = log
        self.log = log.bind(None, connection_id=self.connection_id)

    def bind(self, info: SessionInfo) -> None:
        self.session_id = info.session_id
        self.log = self._base_log.bind(info.trace, connection_id=self.connection_id)

    async def send(self, text: str) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self.socket.send_str(text)
        except (ConnectionError, TimeoutError) as error:
            raise SendError(str(error) or type(error).__name__) from error

    async def close(self, code: int, message: bytes = b"") -> None:
        self.closed_with = code
        await self.socket.close(code=code, message=message)


class ClientSockets:
    """All open sockets of this orchestrator."""

    def __init__(self, callers: Callers, metrics: SessionMetrics, log: Log) -> None:
        self._callers = callers
        self._log = log
        self._metrics = metrics
        self._bindings = SocketBindings()
        metrics.active.set_function(lambda: len(self._bindings))
        self._open: dict[str, _Connection] = {}
        self._closing = False
        self._hearing = True

    async def send(self, connection_id: str, text: str) -> None:
        """Send `text`; raises `SendError`."""
        connection = self._open.get(connection_id)
        if connection is None:
            raise SendError("the socket is closed")
        await connection.send(text)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """``GET /ws``: serve one socket until it closes."""
        if self._closing:
            raise RequestRefusedError(503, "the server is about to stop")
        if len(self._open) >= _MOST_SOCKETS:
            raise RequestRefusedError(503, "the server has as many sockets as it takes")
        socket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S, max_msg_size=LARGEST_BYTES, timeout=_CLOSE_TIMEOUT_S
        )
        await socket.prepare(request)
        connection = _Connection(socket, self._log)
        self._open[connection.connection_id] = connection
        connection.log.write("socket-opened")
        try:
            async for message in socket:
                if isinstance(message.data, WebSocketError):
                    connection.closed_with = message.data.code  # aiohttp has closed it already
                await self._answer(connection, message)
        except SendError:
            _cut(request)  # its end has its own line
        finally:
            self._forget(connection)
        return socket

    async def tell_hearing(self, *, able: bool) -> None:
        """Tell all pages whether what is said arrives, if that has changed."""
        if able == self._hearing:
            return
        self._hearing = able
        told = [one.send(protocol.hearing(able=able)) for one in self._open.values() if one.confirmed]
        await asyncio.gather(*told, return_exceptions=True)  # one that is closed has its own line

    async def lose(self, connection_id: str) -> None:
        """The session of this connection has moved to another one, here or at another replica."""
        connection = self._open.get(connection_id)
        if connection is not None:
            self._bindings.release(connection_id)
            await connection.close(TAKEN_OVER, b"another socket has taken the session over")

    def refuse_new(self) -> None:
        """Take no more sockets; those that are open stay."""
        self._closing = True

    async def shut_down(self, _limit_s: float = _CLOSE_TIMEOUT_S) -> None:
        """Close all sockets as going away: their clients are to come back, to another replica.

        That is said at once, and only the client's answer may take long.
        """
        closing = [connection.close(WSCloseCode.GOING_AWAY) for connection in self._open.values()]
        await asyncio.gather(*closing)

    async def _answer(self, connection: _Connection, message: WSMessage) -> None:
        try:
            match _read(message):
                case SessionInfo() as info:
                    await self._bind(connection, info)
                case Ping():
                    await connection.send(protocol.pong())
        except MessageError as error:
            connection.log.write(
                "socket-message-refused", error=error.error, event=error.event, session_id=error.session_id
            )
            await connection.send(protocol.error(error.error))

    async def _bind(self, connection: _Connection, info: SessionInfo) -> None:
        if connection.session_id not in (None, info.session_id):
            self._callers.release(str(connection.session_id), connection.connection_id, for_good=True)
        connection.bind(info)
        resumed = self._callers.find(info.session_id) is not None
        displaced = self._bindings.bind(connection.connection_id, info.session_id)
        self._metrics.mapped.inc()
        connection.log.write("socket-bound", session_id=info.session_id)
        await self._confirm(connection, info, resumed=resumed)
        # only now: what is waiting for the caller comes after what was missed. A socket that was slow to
        # take that may have lost the session to another one meanwhile.
        if self._bindings.find_connection(info.session_id) == connection.connection_id:
            self._callers.bind(info.session_id, connection.connection_id, info.trace)
        if displaced is not None:
            await self.lose(displaced)

    async def _confirm(self, connection: _Connection, info: SessionInfo, *, resumed: bool) -> None:
        missed: tuple[SentMessage, ...] | None = ()
        if info.last_message_id is not None:
            missed = self._callers.sent.after(info.session_id, info.last_message_id)
        count = None if missed is None else len(missed)
        ids = (info.session_id, connection.connection_id)
        able = self._hearing
        await connection.send(protocol.session_confirmed(*ids, resumed=resumed, missed=count, hearing=able))
        connection.confirmed = True
        if able != self._hearing:
            await connection.send(protocol.hearing(able=self._hearing))
        for message in missed or ():
            await connection.send(message.text)
        if info.last_message_id is not None:
            connection.log.write("socket-resumed", session_id=info.session_id, missed=count)

    def _forget(self, connection: _Connection) -> None:
        self._bindings.release(connection.connection_id)
        del self._open[connection.connection_id]
        code = connection.closed_with or connection.socket.close_code or WSCloseCode.ABNORMAL_CLOSURE
        if connection.session_id is not None:
            for_good = code in (WSCloseCode.OK, TAKEN_OVER)
            self._callers.release(connection.session_id, connection.connection_id, for_good=for_good)
        connection.log.write("socket-closed", code=int(code), session_id=connection.session_id)


def _cut(request: web.Request) -> None:
    """Close without a farewell: to a client that does not read, it could be sent for ever."""
    if request.transport is not None:
        request.transport.abort()


def _read(message: WSMessage) -> SessionInfo | Ping:
    if message.type is WSMsgType.TEXT:
        return read_message(message.data)
    if message.type is WSMsgType.ERROR:
        raise MessageError(f"the message is larger than {LARGEST_BYTES} bytes, or broken")
    raise MessageError("the message is not text")
