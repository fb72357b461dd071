"""Creation of topics: the only thing that diag ever writes to a broker, and only when told to."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka.admin import NewTopic
from aiokafka.errors import for_code

from diag.errors import SourceError
from diag.model.settings import KafkaSettings
from diag.model.topics import Creation, WantedTopic
from diag.sources.kafka.connection import open_admin, within

_BROKERS_DEFAULT = -1
_ALREADY_EXISTS = 36


async def create_topics(
    settings: KafkaSettings, topics: Iterable[WantedTopic], cluster_id: str = ""
) -> tuple[Creation, ...]:
    """Create each of `topics`; what failed says so in its row. Raises `SourceError` without a broker.

    A topic that somebody else made in the meantime counts as created. Where a cluster is named and another
    one answers, nothing is created, and that is a `SourceError`, too.
    """
    topics = tuple(topics)
    async with open_admin(settings) as admin:
        if cluster_id and (await within(admin.describe_cluster(), settings)).get("cluster_id") != cluster_id:
            raise SourceError(
                f"Kafka at {settings.bootstrap} is another cluster by now; nothing was created",
                hint="ask again",
            )
        response = await within(admin.create_topics([_to_new_topic(topic) for topic in topics]), settings)
    # Each row has the topic, its error code and, in newer versions, the broker's own text.
    rows = {row[0]: row for row in response.topic_errors}
    return tuple(Creation(topic, _error_of(rows.get(topic.name))) for topic in topics)


def _to_new_topic(topic: WantedTopic) -> NewTopic:
    new = NewTopic(topic.name, topic.partitions, topic.replication or 1, topic_configs=dict(topic.settings))
    if topic.replication is None:
        # The constructor refuses what brokers understand since Kafka 2.4 (KIP-464).
        new.replication_factor = _BROKERS_DEFAULT
    return new


def _error_of(row: tuple[str, int, str] | None) -> str:
    if row is None:
        return "the broker's answer does not name it"
    code, text = row[1], row[2] if len(row) > 2 else ""
    return "" if code in (0, _ALREADY_EXISTS) else str(text or for_code(code).__name__)
