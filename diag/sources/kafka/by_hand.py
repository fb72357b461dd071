"""Fetches a partition's records past the library, where it can not read them: see `batches`."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    NoError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from diag.sources.kafka.batches import FetchedRecord, decode_batches

_UNCOMMITTED = 0
_NO_BROKER = (None, -1)
_WAIT_MS = 500
_PAUSE_S = 0.2
"""Before a leader is looked for again."""


async def fetch_by_hand(
    consumer: AIOKafkaConsumer, place: TopicPartition, start: int, *, most_bytes: int, timeout_s: float
) -> tuple[list[FetchedRecord], int]:
    """Some records from offset `start` on, and where to go on: `start` where a leader has to be found.

    Raises `KafkaError` as the consumer does.
    """
    client = consumer._client  # noqa: SLF001  as in connection.py: there is no public way
    wanted = [(place.topic, [(place.partition, start, most_bytes)])]
    try:
        leader = client.cluster.leader_for_partition(place)
        if leader in _NO_BROKER:
            raise LeaderNotAvailableError(place)
        answer = await client.send(leader, FetchRequest(_WAIT_MS, 1, most_bytes, _UNCOMMITTED, wanted))
        return decode_batches(_take_bytes(answer), place, start)
    except KafkaError as error:
        if not error.retriable:
            raise
    await asyncio.sleep(_PAUSE_S)
    await asyncio.wait_for(client.force_metadata_update(), timeout_s)
    return [], start


def _take_bytes(answer: Any) -> bytes:
    ((topic, ((_partition, code, *_rest, raw),)),) = answer.topics
    kind = for_code(code)
    if kind is TopicAuthorizationFailedError:
        raise kind(topic)
    if kind is not NoError:
        raise kind(f"{topic}: {kind.__name__}")
    return raw or b""
