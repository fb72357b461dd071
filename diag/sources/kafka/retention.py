"""How long topics keep what: the settings that tell an expired record from one that never came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

_NAMES = ("cleanup.policy", "retention.ms", "retention.bytes")


async def read_topic_settings(
    admin: AIOKafkaAdminClient, topics: Sequence[str], also: Iterable[str] = ()
) -> dict[str, Mapping[str, str]]:
    """Topic -> its settings; a topic that keeps them to itself is left out, all where nobody may ask.

    `also` are names of settings that are of interest beside those that tell how long it keeps what.
    """
    if not topics:
        return {}
    names = dict.fromkeys((*_NAMES, *also))
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, dict(names)) for name in topics]
    try:
        responses = await admin.describe_configs(asked)
    except KafkaError:
        return {}
    return dict(_to_settings(row) for response in responses for row in response.resources if not row[0])


def _to_settings(row: Sequence[Any]) -> tuple[str, Mapping[str, str]]:
    """A row of DescribeConfigs: error, its text, type, topic, settings (name, value, ...)."""
    entries: Iterable[Sequence[Any]] = row[4]
    return str(row[3]), {str(entry[0]): str(entry[1]) for entry in entries if entry[1] is not None}
