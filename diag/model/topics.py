"""Topics: what is wanted, what the broker has, and the plan between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PLAN_VERSION = 1
"""Of the file that keeps a plan."""


class Path(StrEnum):
    """What a topic carries: without the first kind no caller gets an answer."""

    AUDIO = "audio"
    LOGGING = "logging"


@dataclass(frozen=True, slots=True)
class Reader:
    """A consumer group that should read a topic, and the service that runs it."""

    group: str
    service: str


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """One topic that the deployment needs.

    Attributes:
        replication: None leaves it to the broker's default.
        settings: topic configuration to create it with.
        producers: services that write to it.
        readers: groups that read it.
    """

    name: str
    path: Path
    partitions: int
    replication: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    producers: tuple[str, ...] = ()
    readers: tuple[Reader, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as the broker has it.

    Attributes:
        offsets: partition -> begin and end offset.
        first_ns: partition -> the time of the oldest record that it still holds; a partition is left out
            where it is empty or nobody said.
        settings: how long it keeps what (``retention.ms``, ``cleanup.policy``), and what else was asked
            for; empty: not known.
        replicas: copies of the partition that has fewest; None: not known.
    """

    name: str
    offsets: Mapping[int, tuple[int, int]]
    internal: bool = False
    first_ns: Mapping[int, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None

    @property
    def stored(self) -> int:
        """Records that it holds now."""
        return sum(end - begin for begin, end in self.offsets.values())

    @property
    def end(self) -> int:
        """Records ever written."""
        return sum(end for _, end in self.offsets.values())


@dataclass(frozen=True, slots=True)
class Member:
    """A live consumer: the topics that it asked for and the partitions that it got."""

    client_id: str
    subscribed: frozenset[str]
    assigned: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A consumer group.

    Attributes:
        members_known: False where the broker's answer does not say: a group of the newer protocol
            (KIP-848) looks dead and empty to the older call, and is neither.
        committed: topic -> partition -> offset.
        commits_known: False where the broker did not tell them: then `committed` is empty and says nothing.
    """

    name: str
    state: str
    members: tuple[Member, ...]
    members_known: bool
    committed: Mapping[str, Mapping[int, int]]
    commits_known: bool = True

    def assigned_to(self, topic: str) -> frozenset[int]:
        """The partitions of `topic` that some member has."""
        return frozenset(p for member in self.members for p in member.assigned.get(topic, ()))

    def lag(self, topic: TopicFacts) -> int | None:
        """Records behind the end; None where nothing was ever committed."""
        committed = self.committed.get(topic.name)
        if not committed:
            return None
        return sum(
            max(0, topic.offsets[p][1] - offset) for p, offset in committed.items() if p in topic.offsets
        )


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """A broker at one moment: groups first, ends of topics after, so no commit is ahead of its end."""

    cluster_id: str
    read_ns: int
    topics: Mapping[str, TopicFacts]
    groups: Mapping[str, GroupFacts]


class TopicState(StrEnum):
    """How a topic stands against what is wanted."""

    OK = "ok"
    MISSING = "missing"
    STARVED = "starved"
    DRIFTED = "drifted"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Starved:
    """A consumer that is alive and gets nothing of a topic, until it joins its group again."""

    reader: Reader
    members: tuple[str, ...]
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One topic of the plan.

    Attributes:
        wanted: None for a topic that nobody wants.
        actual: None for a topic that is not there.
        starved: readers that have live members and lack partitions.
        lags: group -> records behind; None where it never committed.
        notes: what else a reader should know.
    """

    name: str
    state: TopicState
    wanted: WantedTopic | None
    actual: TopicFacts | None
    starved: tuple[Starved, ...] = ()
    lags: Mapping[str, int | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """Wanted against actual, on the cluster that it was made for."""

    cluster_id: str
    rows: tuple[TopicRow, ...]

    @property
    def to_create(self) -> tuple[WantedTopic, ...]:
        """The topics that are missing."""
        return tuple(row.wanted for row in self.rows if row.state is TopicState.MISSING and row.wanted)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a plan was to create, and on which cluster: kept in a file until somebody has agreed to it.

    Attributes:
        file: where it was read from.
    """

    cluster_id: str
    create: tuple[WantedTopic, ...]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Creation:
    """What became of one topic that was to be created; `error` is the broker's own text."""

    topic: WantedTopic
    error: str = ""


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What `diag topics` found and did.

    Attributes:
        created: empty unless creation was asked for.
        restart: the services whose consumers must join their group again, with why.
        namespace: where those services run, empty where nobody said.
        kept_in: the file that the plan was kept in, if it was.
    """

    plan: TopicPlan
    broker: str
    created: tuple[Creation, ...] = ()
    restart: tuple[Starved, ...] = ()
    dry_run: bool = False
    namespace: str = ""
    kept_in: str = ""
