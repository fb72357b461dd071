"""Which offsets of which partitions a window is, and how far each is read."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from diag.model.instants import NS_PER_MS
from diag.model.window import Window
from diag.sources.kafka.reader import list_partitions

Offsets = dict[TopicPartition, tuple[int, int]]
"""Partition -> first and past-last offset."""


async def find_offsets(consumer: AIOKafkaConsumer, window: Window) -> Offsets:
    """The window's offsets by the records' own times; partitions with nothing in it left out."""
    partitions = [one for one in await list_partitions(consumer) if not one.topic.startswith("__")]
    if not partitions:
        return {}
    start_ms, end_ms = window.start_ns // NS_PER_MS, -(-window.end_ns // NS_PER_MS)
    starts = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, start_ms)))
    touched = [one for one in partitions if starts[one] is not None]
    if not touched:
        return {}
    ends = await consumer.offsets_for_times(dict.fromkeys(touched, max(0, end_ms)))
    lasts = await consumer.end_offsets(touched)
    offsets = {}
    for one in touched:
        end = lasts[one] if ends[one] is None else ends[one].offset
        if starts[one].offset < end:
            offsets[one] = (starts[one].offset, end)
    return offsets


def share_out(offsets: Offsets, most: int) -> Offsets:
    """The offsets cut to `most` records in all: small partitions whole, what is left to the large ones."""
    shares: Offsets = {}
    by_size = sorted(offsets, key=lambda one: (offsets[one][1] - offsets[one][0], one))
    for place, one in enumerate(by_size):
        start, end = offsets[one]
        share = min(end - start, most // (len(by_size) - place))
        shares[one] = (start, start + share)
        most -= share
    return shares
