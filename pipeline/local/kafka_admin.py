"""What the stack asks of a broker: topics made and removed, and who consumes what.

aiokafka is imported where it is used: the import takes longer than all else before the first process
starts. Its responses carry an error code per row and raise nothing.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.local.errors import StackError
from pipeline.local.readiness import wait_until
from pipeline.wire.records import (
    AUDIO_IN,
    AUDIO_OUT,
    LLM_REQUESTS,
    MEDIA_SERVER_GROUP,
    ORCHESTRATOR_GROUP,
    SESSION_EVENTS,
    STT_RESULTS,
    TTS_RESULTS,
)

if TYPE_CHECKING:
    from aiokafka.admin import AIOKafkaAdminClient

_NO_ERROR = 0
_ALREADY_EXISTS = 36
_UNKNOWN_TOPIC = 3
_LISTED_S = 10.0
_AT_REST = "Stable"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the pipeline needs.

    Attributes:
        path: ``audio`` or ``logging``, as diag's list of wanted topics has it.
        producer: the service that writes it.
        readers: consumer groups, each with its service; a topic that every replica reads on its own has
            none.
        retention_ms: how long it keeps records; None leaves that to the broker.
    """

    name: str
    partitions: int
    path: str = "logging"
    producer: str = "orchestrator"
    readers: tuple[tuple[str, str], ...] = ()
    retention_ms: int | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Those that it is made with."""
        return {} if self.retention_ms is None else {"retention.ms": str(self.retention_ms)}


_DAY_MS = 86_400_000
_STAGE_READERS = (("logging-service-group", "logging-service"),)

ALL_TOPICS = (
    Topic(AUDIO_IN, 1, "audio", "media-server", ((ORCHESTRATOR_GROUP, "orchestrator"),)),
    Topic(AUDIO_OUT, 1, "audio", "orchestrator", ((MEDIA_SERVER_GROUP, "media-server"),)),
    Topic(STT_RESULTS, 3, readers=_STAGE_READERS, retention_ms=_DAY_MS),
    Topic(LLM_REQUESTS, 3, readers=_STAGE_READERS, retention_ms=_DAY_MS),
    Topic(TTS_RESULTS, 3, readers=_STAGE_READERS, retention_ms=_DAY_MS),
    Topic(SESSION_EVENTS, 1, retention_ms=_DAY_MS),
)
# the standing fault of the demo: one logging topic was forgotten
STANDING_TOPICS = tuple(topic for topic in ALL_TOPICS if topic.name != STT_RESULTS)


def to_toml(topics: Collection[Topic]) -> str:
    """`topics` as a list of wanted topics that diag reads (the form of ``diag/topics/wanted.toml``)."""
    return "\n".join(map(_to_table, topics))


def _to_table(topic: Topic) -> str:
    readers = ", ".join(f'{{ group = "{group}", service = "{service}" }}' for group, service in topic.readers)
    lines = [
        "[[topic]]",
        f'name = "{topic.name}"',
        f'path = "{topic.path}"',
        f"partitions = {topic.partitions}",
        f'producers = ["{topic.producer}"]',
        f"readers = [{readers}]",
    ]
    if topic.settings:
        settings = ", ".join(f'"{name}" = "{value}"' for name, value in topic.settings.items())
        lines.append(f"settings = {{ {settings} }}")
    return "\n".join(lines) + "\n"


async def is_answering(bootstrap: str) -> bool:
    """Whether the broker answers a metadata request."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415 - see above

    try:
        await list_topics(bootstrap)
    except KafkaError:
        return False
    return True


async def list_topics(bootstrap: str) -> set[str]:
    """The names of all topics."""
    async with _admin(bootstrap) as admin:
        return set(await admin.list_topics())


async def create_topics(bootstrap: str, topics: Collection[Topic]) -> None:
    """Create `topics`; those that exist stay as they are. All are listed after it. Raises `StackError`."""
    from aiokafka.admin import NewTopic  # noqa: PLC0415 - see above

    async with _admin(bootstrap) as admin:
        response = await admin.create_topics(
            [
                NewTopic(topic.name, topic.partitions, replication_factor=1, topic_configs=topic.settings)
                for topic in topics
            ]
        )
    for name, code, *reason in response.topic_errors:
        if code not in (_NO_ERROR, _ALREADY_EXISTS):
            raise StackError(f"topic {name} was not created: {(reason or [code])[0]}")
    names = {topic.name for topic in topics}
    await _wait_for_topics(bootstrap, lambda listed: names <= listed)


async def delete_topic(bootstrap: str, name: str) -> None:
    """Delete the topic; one that does not exist is no error. It is not listed after it.

    Raises:
        StackError: the broker refuses it.
    """
    async with _admin(bootstrap) as admin:
        response = await admin.delete_topics([name])
    for row in response.topic_error_codes:
        if row[1] not in (_NO_ERROR, _UNKNOWN_TOPIC):
            raise StackError(f"topic {name} was not deleted: error {row[1]}")
    await _wait_for_topics(bootstrap, lambda listed: name not in listed)


async def _wait_for_topics(bootstrap: str, are_right: Callable[[set[str]], bool]) -> None:
    """The controller answers before the broker lists what it has decided."""

    async def is_so() -> bool:
        return are_right(await list_topics(bootstrap))

    if not await wait_until(is_so, _LISTED_S):
        raise StackError(f"Kafka does not list its topics as it should after {_LISTED_S:g} s")


async def is_consumed(bootstrap: str, group: str, topic: str) -> bool:
    """Whether a live member of `group` has a partition of `topic`."""
    return any(topic in assigned for assigned in await _list_assignments(bootstrap, group))


async def is_starved(bootstrap: str, group: str, topic: str) -> bool:
    """Whether `group` has live members, and none of them a partition of `topic`."""
    assignments = await _list_assignments(bootstrap, group)
    return bool(assignments) and not any(topic in assigned for assigned in assignments)


async def _list_assignments(bootstrap: str, group: str) -> list[set[str]]:
    """The topics of each member of a group that is at rest; none while it rebalances."""
    from aiokafka.coordinator.protocol import ConsumerProtocol  # noqa: PLC0415 - see above

    async with _admin(bootstrap) as admin:
        (response,) = await admin.describe_consumer_groups([group])
    ((_, _, state, _, _, members, *_),) = response.groups
    if state != _AT_REST:
        return []
    # a member that has got nothing may have no assignment at all
    return [
        {row[0] for row in ConsumerProtocol.ASSIGNMENT.decode(assignment).assignment} if assignment else set()
        for *_, assignment in members
    ]


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 - see above

    # it logs every refused connection of a broker that is about to start
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
