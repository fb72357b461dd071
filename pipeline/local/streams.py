"""Two TCP connections made one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_READ_BYTES = 64 * 1024


async def join(one: Connection, other: Connection) -> None:
    """Carry what either side sends to the other until both have ended; each may end before the other."""
    try:
        await asyncio.gather(_carry(one[0], other[1]), _carry(other[0], one[1]))
    finally:
        await asyncio.gather(close(one[1]), close(other[1]))


async def close(writer: asyncio.StreamWriter) -> None:
    """End a connection, whatever state it is in."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the sender has nothing more to say, or one of the two has broken off: then both do."""
    try:
        while data := await reader.read(_READ_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()
