"""Can the broker be spoken to from here, and by the names that it gives itself?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from diag.model.settings import KafkaSettings
from diag.sources.kafka.connection import open_admin, within
from diag.sources.kafka.probe import FAILURES
from diag.sources.kafka.route import open_connection

_MOST_BROKERS = 100


@dataclass(frozen=True, slots=True)
class BrokerReach:
    """What a broker said of its cluster.

    Attributes:
        cluster_id: empty if it could not be asked for.
        brokers: the advertised ``host:port`` of each.
        unreachable: those of them that nobody answers at from here.
    """

    cluster_id: str
    brokers: tuple[str, ...]
    unreachable: tuple[str, ...]


async def reach_broker(settings: KafkaSettings) -> BrokerReach:
    """The cluster behind the bootstrap servers; raises `SourceError` if none of those answers.

    Bootstrap servers only tell the brokers' own names; what those lead to is what everything else needs.
    """
    async with open_admin(settings) as admin:
        nodes = admin._client.cluster.brokers()  # noqa: SLF001  there is no public way to the names alone
        names = sorted({(str(node.host), int(node.port)) for node in nodes})[:_MOST_BROKERS]
        answers = await asyncio.gather(*(_answers(host, port, settings) for host, port in names))
        brokers = tuple(f"{host}:{port}" for host, port in names)
        away = tuple(name for name, answered in zip(brokers, answers, strict=True) if not answered)
        cluster = {} if away else await within(admin.describe_cluster(), settings)
    return BrokerReach(str(cluster.get("cluster_id") or ""), brokers, away)


async def _answers(host: str, port: int, settings: KafkaSettings) -> bool:
    try:
        _, writer = await asyncio.wait_for(open_connection(host, port), settings.timeout_s)
    except FAILURES:
        return False
    writer.close()
    return True
