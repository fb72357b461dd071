"""The records of one session, over all topics, bounded by offsets for the window's times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from diag.errors import SourceError
from diag.model.instants import NS_PER_MS
from diag.model.records import KafkaRecord
from diag.model.settings import KafkaSettings
from diag.model.window import Window
from diag.sources.kafka.connection import open_consumer, to_source_error, within
from diag.sources.kafka.reader import list_partitions

_POLL_MS = 500
Bounds = dict[TopicPartition, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """A session's records and what was looked at to find them.

    Attributes:
        looked_at: records read in all.
        topics: topics that had records in the window.
        complete: False where the bound on records cut the search.
    """

    records: tuple[KafkaRecord, ...]
    looked_at: int
    topics: tuple[str, ...]
    complete: bool


async def read_records(
    settings: KafkaSettings, window: Window, ids: frozenset[str], id_keys: frozenset[str]
) -> RecordsRead:
    """The window's records whose key, header or JSON field is one of `ids`; raises `SourceError`.

    Args:
        settings: where the broker is, and how many records may be looked at.
        window: by the records' own timestamps.
        ids: session IDs.
        id_keys: names of headers and JSON fields that hold session IDs.
    """
    async with open_consumer(settings) as consumer:
        bounds = await within(_find_bounds(consumer, window), settings)
        if not bounds:
            return RecordsRead((), 0, (), complete=True)
        consumer.assign(list(bounds))
        for partition, (start, _) in bounds.items():
            consumer.seek(partition, start)
        try:
            return await _read_all(consumer, bounds, ids, id_keys, settings)
        except (KafkaError, OSError) as error:
            raise to_source_error(error, settings) from error


async def _find_bounds(consumer: AIOKafkaConsumer, window: Window) -> Bounds:
    """Partition -> first and past-last offset of the window; partitions with nothing in it left out."""
    partitions = [one for one in await list_partitions(consumer) if not one.topic.startswith("__")]
    if not partitions:
        return {}
    start_ms, end_ms = window.start_ns // NS_PER_MS, -(-window.end_ns // NS_PER_MS)
    starts = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, start_ms)))
    ends = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, end_ms)))
    lasts = await consumer.end_offsets(partitions)
    bounds = {}
    for one in partitions:
        if starts[one] is not None:
            end = lasts[one] if ends[one] is None else ends[one].offset
            if starts[one].offset < end:
                bounds[one] = (starts[one].offset, end)
    return bounds


async def _read_all(
    consumer: AIOKafkaConsumer,
    bounds: Bounds,
    ids: frozenset[str],
    id_keys: frozenset[str],
    settings: KafkaSettings,
) -> RecordsRead:
    found: list[KafkaRecord] = []
    looked_at, open_partitions = 0, dict(bounds)
    idle_until = asyncio.get_running_loop().time() + settings.timeout_s
    while open_partitions and looked_at < settings.max_records:
        batches: Mapping[TopicPartition, list[Any]] = await consumer.getmany(
            timeout_ms=_POLL_MS, max_records=settings.max_records - looked_at
        )
        now = asyncio.get_running_loop().time()
        if batches:
            idle_until = now + settings.timeout_s
        elif now > idle_until:
            raise SourceError(f"Kafka at {settings.bootstrap} stopped sending records", hint="try again")
        for one, messages in batches.items():
            wanted = [m for m in messages if one in open_partitions and m.offset < bounds[one][1]]
            looked_at += len(wanted)
            found += (r for m in wanted if (r := _to_record(m, id_keys)) and _names_any(r, ids, id_keys))
        for one in [p for p, (_, end) in open_partitions.items() if await consumer.position(p) >= end]:
            del open_partitions[one]
            consumer.pause(one)
    found.sort(key=lambda record: (record.time_ns, record.topic, record.partition, record.offset))
    topics = tuple(sorted({one.topic for one in bounds}))
    return RecordsRead(tuple(found), looked_at, topics, complete=not open_partitions)


def _to_record(message: Any, id_keys: frozenset[str]) -> KafkaRecord:
    value: bytes = message.value or b""
    return KafkaRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        time_ns=message.timestamp * NS_PER_MS,
        key=None if message.key is None else _to_text(message.key),
        headers=tuple((name, _to_text(raw)) for name, raw in message.headers),
        id_fields=tuple(_id_fields(value, id_keys)),
        size=len(value),
    )


def _to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _id_fields(value: bytes, id_keys: frozenset[str]) -> Iterable[tuple[str, str]]:
    if not value.startswith(b"{"):
        return []
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:
        return []
    return [(key, str(fields[key])) for key in sorted(id_keys & fields.keys()) if fields[key] is not None]


def _names_any(record: KafkaRecord, ids: frozenset[str], id_keys: frozenset[str]) -> bool:
    named = (text for name, text in (*record.headers, *record.id_fields) if name in id_keys)
    return record.key in ids or any(text in ids for text in named)
