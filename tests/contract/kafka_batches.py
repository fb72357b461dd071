"""Batches that no client library makes: a record whose header has a name that is not UTF-8."""

from __future__ import annotations

import struct
from collections.abc import Callable

from aiokafka import AIOKafkaProducer, codec
from aiokafka.record.util import calc_crc32c

_CRC_AT, _ATTRIBUTES_AT, _HEAD = 17, 21, 61
PACKINGS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "none": (0, bytes),
    "gzip": (1, codec.gzip_encode),
    "snappy": (2, codec.snappy_encode),
    "lz4": (3, codec.lz4_encode),
    "zstd": (4, codec.zstd_encode),
}
BAD_NAME = b"\xffAME"

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]


async def send_batch(
    bootstrap: str,
    topic: str,
    *records: Record,
    packing: str = "none",
    partition: int = 0,
    at_ms: int | None = None,
) -> int:
    """All `records` in one batch, a header ``NAME`` of theirs as `BAD_NAME`; the offset of the first one.

    They are of the time `at_ms`, or of now.
    """
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        batch = producer.create_batch()
        for key, value, headers in records:
            batch.append(timestamp=at_ms, key=key, value=value, headers=headers)
        batch._buffer = pack(bytes(batch._build()), packing)
        sent = await (await producer.send_batch(batch, topic, partition=partition))
        return int(sent.offset)


def pack(raw: bytes, packing: str) -> bytes:
    """A batch with the bad name, packed, and fit to be taken by a broker again."""
    kind, encode = PACKINGS[packing]
    body = encode(raw[_HEAD:].replace(b"NAME", BAD_NAME))
    rest = struct.pack(">h", kind) + raw[_ATTRIBUTES_AT + 2 : _HEAD] + body
    head = raw[:8] + struct.pack(">i", 9 + len(rest)) + raw[12:_CRC_AT]
    return head + struct.pack(">I", calc_crc32c(rest)) + rest
