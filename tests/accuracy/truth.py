"""The truth of a generated world: whose every line is, what was lost where, what the clocks really showed.

A world is made by the generator alone; nothing here, and nothing that makes it, knows `diag`. The judges
compare what `diag` says with these values. Times named ``true_ns`` are those of one perfect clock.

What a judge may rely on:

- `Line.owner`: the session whose line it is, None for a line that belongs to no session. This is the
  truth for attribution: ID-less lines (`Line.has_id` False) have owners too.
- `Line.links`: the IDs that the line itself says belong together; what is provable follows from the
  links of lines that survived (see ``provable.py``).
- `Pod.offset_ns(t)`: what the pod's clock was ahead (+) or behind (-) at true time t. Kafka records carry
  the broker's clock (`Record.time_ns`, by `World.broker`) and the true time (`Record.true_ns`).
- `Turn`: its stamps as lines; durations are of the perfect clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

WHIP_HEADER = "WHIP header"
LISTENING_BODY = "/listening body"
SESSION_INFO = "WebSocket session_info"
KAFKA_KEY = "Kafka key"
GRPC = "gRPC"

NEVER_SENT = "never sent"
NOT_READ = "sent and not read"
REMINTED = "re-minted"
TRUNCATED = "truncated"
STRINGIFIED = "stringified null"
UNIT_CHANGED = "unit changed"

LOST_TEXTS = ("undefined", "null", "NaN", "[object Object]")


@dataclass(frozen=True, slots=True)
class Pod:
    """One replica and its clock.

    Attributes:
        ahead_ns: how far its clock was ahead at `since_ns`, -5 s to +5 s.
        drift_ppm: how much faster than true it runs, in millionths.
        loss: the share of its lines that never reached the log, 0 to 0.05.
    """

    name: str
    service: str
    era: str
    ahead_ns: int
    drift_ppm: float
    since_ns: int
    loss: float

    def offset_ns(self, true_ns: int) -> int:
        """How far its clock is ahead at a true time."""
        return self.ahead_ns + round((true_ns - self.since_ns) * self.drift_ppm / 1e6)

    def clock(self, true_ns: int) -> int:
        """What it shows at a true time."""
        return true_ns + self.offset_ns(true_ns)


@dataclass(slots=True, eq=False)
class Line:
    """One line that a service wrote.

    Attributes:
        ids: role (session, connection, turn, media, frontend) -> the ID as written.
        trace: the LogEntry's trace, empty if it has none.
        owner: the number of the session that it is of; None if of none.
        links: IDs that this line says belong to one session.
        text: it is no JSON but a text line.
        survived: it reached the log.
        record: the Kafka record whose offset it names.
    """

    true_ns: int
    pod: Pod
    message: str
    level: str
    ids: Mapping[str, str]
    fields: dict[str, Any]
    trace: str
    owner: int | None
    links: tuple[str, ...]
    text: bool = False
    insert_id: str = ""
    survived: bool = True
    record: Record | None = None

    @property
    def has_id(self) -> bool:
        """Whether it names anything by which it can be joined directly."""
        return bool(self.links or any(self.ids.values()) or "session_" in str(self.fields.get("error", "")))


@dataclass(slots=True, eq=False)
class Record:
    """One record on the broker. `partition` and `offset` are given when all records are known."""

    topic: str
    true_ns: int
    key: str | None
    headers: tuple[tuple[str, str], ...]
    size: int
    owner: int
    partition: int
    id_fields: tuple[tuple[str, str], ...] = ()
    offset: int = -1
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a turn, by the lines that mark it."""

    name: str
    start: Line
    end: Line

    @property
    def ms(self) -> float:
        """Its true duration."""
        return (self.end.true_ns - self.start.true_ns) / NS_PER_MS


@dataclass(frozen=True, slots=True)
class Turn:
    """From the end of the caller's speech to the turn's end.

    Attributes:
        interleaved: another turn of the same session ran meanwhile and neither has an ID: no reader can
            tell their stages apart.
    """

    start: Line
    end: Line
    stages: tuple[Stage, ...]
    interleaved: bool = False

    @property
    def total_ms(self) -> float:
        """Its true duration."""
        return (self.end.true_ns - self.start.true_ns) / NS_PER_MS

    @property
    def unaccounted_ms(self) -> float:
        """What no stage accounts for."""
        return self.total_ms - sum(stage.ms for stage in self.stages)

    @property
    def stamps(self) -> tuple[Line, ...]:
        """Every line that marks a time of it."""
        return (self.start, self.end, *(line for s in self.stages for line in (s.start, s.end)))


@dataclass(frozen=True, slots=True)
class Loss:
    """Where one client's ID stopped being the same, and how.

    Attributes:
        sent: the client's ID, which every other hop carried.
        seen: what stood there instead; empty where nothing did.
        witnesses: the lines that show it, each by itself; see ``provable.py`` for when that is enough.
        records: the Kafka records that show it.
        anchors: lines that show the client's ID at a third hop. An ID minted twice makes two equal halves;
            only a third place tells which of them lost it.
    """

    hop: str
    kind: str
    sent: str
    seen: str
    witnesses: tuple[Line, ...] = ()
    records: tuple[Record, ...] = ()
    anchors: tuple[Line, ...] = ()


@dataclass(slots=True, eq=False)
class Session:
    """One caller's session.

    Attributes:
        shape: ``media`` (WHIP and a socket), ``socket`` (audio over the socket), ``grpc``.
        ids: every ID that is its own or that it shares with others (hubs).
    """

    number: int
    era: str
    shape: str
    client: str
    begin_ns: int = 0
    end_ns: int = 0
    ids: set[str] = field(default_factory=set)
    turns: list[Turn] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    loss: Loss | None = None
    traits: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class World:
    """All that happened; `lines` in true order, those of no session included."""

    seed: int
    pods: tuple[Pod, ...]
    broker: Pod
    sessions: tuple[Session, ...]
    lines: list[Line]
    records: list[Record]

    def owners(self) -> dict[str, frozenset[int]]:
        """ID -> the sessions that it is an ID of; several: it is shared, and joins nothing."""
        found: dict[str, set[int]] = {}
        for session in self.sessions:
            for text in session.ids:
                found.setdefault(text, set()).add(session.number)
        return {text: frozenset(numbers) for text, numbers in found.items()}

    def by_insert_id(self) -> dict[str, Line]:
        """Insert ID -> its line: how a judge finds the truth of an entry that diag speaks of."""
        return {line.insert_id: line for line in self.lines}
