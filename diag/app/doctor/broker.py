"""The broker: can it be reached, and does it tell what a session needs?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from diag.app.tunnel import find_tunnel
from diag.config import load_wanted_topics
from diag.model.checkup import Answer, Health
from diag.model.settings import KafkaSettings, Settings
from diag.model.topics import BrokerFacts, TopicFacts

_MOST_S = 8.0
_RIGHTS = "give the account Describe and DescribeConfigs on topics, Describe on groups and on the cluster"
_ADVERTISED = (
    "make the advertised names reachable (hosts file, VPN), name a listener that advertises such, "
    "run diag in the cluster, or add --kafka-via port-forward"
)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class BrokerProbes:
    """What is asked of one broker. A name that is none raises, as it would for a session."""

    settings: Settings
    now_ns: int

    def reach(self) -> Answer:
        """Is it there, and by its own names?"""
        if not self.settings.kafka.bootstrap:
            return Answer(Health.NOT_ASKED, "no broker is named", "--kafka HOST:PORT, or [kafka] bootstrap")
        from diag.sources import kafka

        tunnel = find_tunnel(self.settings)
        with kafka.through(tunnel):
            found = asyncio.run(kafka.reach_broker(self._kafka()))
        if found.unreachable:
            told = f"{self.settings.kafka.bootstrap} answers, but can not be reached by its own name"
            return Answer(Health.FAILED, f"{told}: {_name(found.unreachable)}", _ADVERTISED)
        number = f"{len(found.brokers)} broker{'' if len(found.brokers) == 1 else 's'}"
        way = f", through {tunnel.name}" if tunnel else ""
        return Answer(
            Health.OK, f"{number} at {_name(found.brokers)}, cluster {found.cluster_id or 'unnamed'}{way}"
        )

    def rights(self) -> Answer:
        """Does it list topics and groups, their settings and commits?"""
        from diag.sources import kafka

        with kafka.through(find_tunnel(self.settings)):
            facts = asyncio.run(kafka.read_broker(self._kafka(), self.now_ns))
        hidden = tuple(self._find_hidden(facts))
        topics = sum(not topic.internal for topic in facts.topics.values())
        told = f"{topics} topics and {len(facts.groups)} groups are listed"
        if hidden:
            return Answer(Health.WARNING, f"{told}; {'; '.join(hidden)}", _RIGHTS, partial=True)
        return Answer(Health.OK, f"{told}, with offsets, settings and commits")

    def _find_hidden(self, facts: BrokerFacts) -> Sequence[str]:
        """What is kept from us. A broker leaves out what one may not see, so absence alone proves nothing."""
        own = [topic for topic in facts.topics.values() if not topic.internal]
        wanted = {topic.name for topic in load_wanted_topics(self.settings.topics.file)}
        silent = tuple(group.name for group in facts.groups.values() if not group.commits_known)
        return [
            *_say_topics(own, wanted),
            *([f"the commits of {_name(silent)} are not told"] if silent else []),
        ]

    def _kafka(self) -> KafkaSettings:
        return replace(self.settings.kafka, timeout_s=min(self.settings.kafka.timeout_s, _MOST_S))


def _say_topics(own: Sequence[TopicFacts], wanted: set[str]) -> Sequence[str]:
    if not wanted & {topic.name for topic in own}:
        return [f"none of the {len(wanted)} wanted topics is there, or none may be seen (diag topics)"]
    kept = tuple(topic.name for topic in own if not topic.settings)
    return [f"the settings of {_name(kept)} are not told"] if kept else []


def _name(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
