"""Requests that the Kafka library has not, byte by byte: a live group of KIP-848, and access rules.

From the message definitions of Apache Kafka (clients/src/main/resources/common/message).
"""

from __future__ import annotations

import asyncio
import struct
import uuid

_DESCRIBE_ACLS, _CREATE_ACLS, _CONSUMER_GROUP_HEARTBEAT = 29, 30, 68
_TOPIC, _LITERAL, _ALLOW = 2, 3, 3
EVERYTHING, DESCRIBE = 2, 8
_NOBODY = "User:ANONYMOUS"
_NULL, _NO_TAGS = b"\x00", b"\x00"


async def ask(bootstrap: str, key: int, version: int, body: bytes, *, flexible: bool) -> bytes:
    """One request on a connection of its own; the answer behind its correlation ID."""
    host, _, port = bootstrap.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = struct.pack(">hhi", key, version, 1) + _text("test") + (_NO_TAGS if flexible else b"")
    writer.write(struct.pack(">i", len(head) + len(body)) + head + body)
    await writer.drain()
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    answer = await reader.readexactly(size)
    writer.close()
    return answer[4:]


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def to_compact(raw: bytes) -> bytes:
    """A compact string or compact bytes, of less than 127 bytes."""
    return bytes([len(raw) + 1]) + raw


async def join_new_group(bootstrap: str, group: str, topic: str) -> None:
    """A member of a group of the newer protocol; it lives for the 45 s of its session."""
    body = b"".join(
        (
            to_compact(group.encode()),
            to_compact(str(uuid.uuid4()).encode()),
            struct.pack(">i", 0),  # member epoch: joins
            _NULL,  # instance
            _NULL,  # rack
            struct.pack(">i", 60_000),
            b"\x02" + to_compact(topic.encode()),
            _NULL,  # pattern
            _NULL,  # assignor
            b"\x01",  # it has no partitions yet
            _NO_TAGS,
        )
    )
    answer = await ask(bootstrap, _CONSUMER_GROUP_HEARTBEAT, 1, body, flexible=True)
    (error,) = struct.unpack(">h", answer[5:7])  # behind tags and throttle time
    assert error == 0, error


async def allow(bootstrap: str, topic: str, operation: int) -> None:
    """Everybody may do this with `topic`, and from the first such rule on nothing that no rule allows.

    The broker takes a rule before it keeps to it: it is in force when the broker tells of it.
    """
    rule = b"".join(
        (
            struct.pack(">b", _TOPIC),
            _text(topic),
            struct.pack(">b", _LITERAL),
            _text(_NOBODY),
            _text("*"),
            struct.pack(">bb", operation, _ALLOW),
        )
    )
    answer = await ask(bootstrap, _CREATE_ACLS, 1, struct.pack(">i", 1) + rule, flexible=False)
    (error,) = struct.unpack(">h", answer[8:10])  # behind throttle time and count
    assert error == 0, error
    async with asyncio.timeout(60):
        while not await _count_rules(bootstrap, rule):
            pass


async def _count_rules(bootstrap: str, rule: bytes) -> int:
    """For how many topics the broker has this rule."""
    answer = await ask(bootstrap, _DESCRIBE_ACLS, 1, rule, flexible=False)
    error, length = struct.unpack(">hh", answer[4:8])  # behind throttle time; no message: -1
    assert error == 0, error
    (count,) = struct.unpack(">i", answer[8 + max(length, 0) :][:4])
    return int(count)
