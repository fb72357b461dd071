"""What passed through Kafka for one session, topic by topic. None: not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from diag.model.records import KafkaRecord


@dataclass(frozen=True, slots=True)
class PartitionFlow:
    """How far one group is in one partition that holds records of the session.

    Attributes:
        records: the session's records there.
        committed: the group's committed offset; None where it has none.
        consumed: the session's records below that offset.
        lag: anybody's records between that offset and the end.
    """

    partition: int
    records: int
    committed: int | None = None
    consumed: int | None = None
    lag: int | None = None

    @property
    def lagging(self) -> int | None:
        """The session's records that the group has not come past."""
        return None if self.consumed is None else self.records - self.consumed


@dataclass(frozen=True, slots=True)
class GroupFlow:
    """How far one consumer group is with the session's records of one topic.

    Attributes:
        service: who should run it; empty where the group is not among the wanted readers.
        owner: whether it is one of the wanted readers.
        partitions: those that hold records of the session, in order.
    """

    group: str
    service: str
    owner: bool
    partitions: tuple[PartitionFlow, ...]

    @property
    def consumed(self) -> int | None:
        """The session's records that it has come past."""
        return _sum(one.consumed for one in self.partitions)

    @property
    def lagging(self) -> int | None:
        """The session's records that it has not come past."""
        return _sum(one.lagging for one in self.partitions)

    @property
    def lag(self) -> int | None:
        """Anybody's records that it has still to read, in these partitions."""
        return _sum(one.lag for one in self.partitions)


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)


@dataclass(frozen=True, slots=True)
class Inversion:
    """A record that stands behind one that its producer sent later."""

    record: KafkaRecord
    behind: KafkaRecord


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """Whether the session's records lie in the order in which they were sent.

    Attributes:
        inversions: records that lie behind a later sent one of the same key in the same partition;
            None where nothing tells when they were sent.
        across: the same over the partitions of one key, by the records' own times.
        examples: a few of either.
        spread: keys that lie in more than one partition, and in which.
    """

    inversions: int | None = None
    across: int | None = None
    examples: tuple[Inversion, ...] = ()
    spread: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopicFlow:
    """What passed through one topic for the session.

    Attributes:
        produced: records that the producer's lines speak of.
        stored: records on the broker that name this session.
        consumed: those of them below the offsets that all the topic's own reader groups have committed.
        consumed_by_other: those that somebody else than the session's own reader has come past: a group
            that is none of the wanted readers, or the owners' group when the session's reader had ended.
        lagging: those that some reader group has not come past.
        expired: records that surely were stored and are gone; 0 where none can be.
        lag: anybody's records that the slowest reader group has still to read, in the partitions that hold
            the session's records; in all partitions where none of them does.
        partitions: those that hold records of the session.
        complete: every record of the session's time was looked at.
    """

    topic: str
    produced: int | None = None
    stored: int | None = None
    consumed: int | None = None
    consumed_by_other: int | None = None
    lagging: int | None = None
    expired: int | None = None
    lag: int | None = None
    partitions: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    records: tuple[KafkaRecord, ...] = ()
    groups: tuple[GroupFlow, ...] = ()
    order: RecordOrder = field(default_factory=RecordOrder)
    complete: bool = True
