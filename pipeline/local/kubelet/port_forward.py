"""Forwards ports of a pod over one WebSocket, in the channels of ``v4.channel.k8s.io``.

Each port has two channels: 2n carries data both ways, 2n + 1 says why it ended. A message begins with the
channel's number in one byte; the first on each channel is the port in two, low byte first. The API server
hands such a WebSocket on as it comes. ``kubectl port-forward`` speaks SPDY, which is not served here.

Source: Kubernetes, staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

from aiohttp import WSMsgType, web

from pipeline.local.control_plane.network import to_loopback
from pipeline.local.streams import close

PROTOCOL = "v4.channel.k8s.io"
_READ_BYTES = 32 * 1024
_MOST_PORTS = 128


def read_ports(texts: Sequence[str]) -> list[int]:
    """The ports of a request, as in ``port=8080&port=9092``; raises `ValueError`."""
    ports = [int(text) for text in texts]
    if not 0 < len(ports) <= _MOST_PORTS or not all(0 < port < 65536 for port in ports):
        raise ValueError(f"no ports that can be forwarded: {','.join(texts)}")
    return ports


async def forward_ports(
    request: web.Request, pod: str, address: str, ports: Sequence[int]
) -> web.WebSocketResponse:
    """Carry data between the WebSocket of `request` and `ports` of `pod` until one side has enough."""
    socket = web.WebSocketResponse(protocols=(PROTOCOL,))
    await socket.prepare(request)
    channels = [_Channel(socket, 2 * index, port) for index, port in enumerate(ports)]
    carrying = [asyncio.create_task(channel.carry(pod, address)) for channel in channels]
    receiving = asyncio.create_task(_receive(socket, channels))
    try:
        await asyncio.wait((receiving, asyncio.gather(*carrying)), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (receiving, *carrying):
            task.cancel()
        await asyncio.gather(receiving, *carrying, return_exceptions=True)
        await socket.close()
    return socket


async def _receive(socket: web.WebSocketResponse, channels: Sequence[_Channel]) -> None:
    async for message in socket:
        if message.type is WSMsgType.BINARY and message.data:
            index, is_error = divmod(message.data[0], 2)
            if index < len(channels) and not is_error:
                await channels[index].write(message.data[1:])


class _Channel:
    """One port: its data channel is `number`, the one for its error the next."""

    def __init__(self, socket: web.WebSocketResponse, number: int, port: int) -> None:
        self._socket = socket
        self._number = number
        self._port = port
        self._writer: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def carry(self, pod: str, address: str) -> None:
        """Say which port it is, then carry what the port says until it ends."""
        for number in (self._number, self._number + 1):
            await self._send(number, struct.pack("<H", self._port))
        try:
            reader, writer = await asyncio.open_connection(to_loopback(address), self._port)
        except OSError as error:
            why = f"failed to connect to {address}:{self._port}: {error.strerror}"
            await self._send(
                self._number + 1, f"error forwarding port {self._port} to pod {pod}: {why}".encode()
            )
            return
        self._writer.set_result(writer)
        try:
            while data := await reader.read(_READ_BYTES):
                await self._send(self._number, data)
        except ConnectionError:
            pass  # either side has gone
        finally:
            await close(writer)

    async def write(self, data: bytes) -> None:
        """Give `data` to the port, as soon as it is open."""
        writer = await self._writer
        writer.write(data)
        await writer.drain()

    async def _send(self, number: int, data: bytes) -> None:
        await self._socket.send_bytes(bytes((number,)) + data)
