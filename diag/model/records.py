"""What a source brings, before anything of it was understood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from diag.model.findings import Evidence
from diag.model.identifiers import is_lost
from diag.model.values import value

FILES = "files"
"""The slug of the source that reads files; `diag.sources` names the others."""

POD_LOGS = "pod-logs"
"""The slug of the source that reads logs from the cluster's nodes."""


@value
class LogRecord:
    """One log entry or line.

    Attributes:
        data: a LogEntry in its JSON form, any other JSON object, or a line of text.
        origin: ``file:line`` where it was read from a file (``-`` is standard input), else empty.
        source: the slug of the source that brought it.
    """

    data: Mapping[str, Any] | str
    origin: str = ""
    source: str = FILES


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One record of a topic without its contents: they are audio, or what was said.

    Attributes:
        time_ns: the broker's timestamp of the record.
        key: None where it has none, which is no loss: the header or the value may name the session.
        headers: names and texts, in order.
        id_fields: the ID fields of a JSON value, names and texts.
        size: bytes of the value.
        id_headers: names of the headers that hold a session's ID.
    """

    topic: str
    partition: int
    offset: int
    time_ns: int
    key: str | None
    headers: tuple[tuple[str, str], ...] = ()
    id_fields: tuple[tuple[str, str], ...] = ()
    size: int = 0
    id_headers: frozenset[str] = frozenset({"session-id"})

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The sessions that it names, each once: its key's, its headers', its fields'."""
        return tuple(dict.fromkeys(text for _, text in self._named() if not is_lost(text)))

    def to_evidence(self) -> Evidence:
        """Where it lies, how large it is, and under which key."""
        key = "no key" if self.key is None else f"key {self.key}"
        return Evidence(self.time_ns, self.ref, "kafka", f"record of {self.size} bytes, {key}")

    @property
    def lost_ids(self) -> tuple[tuple[str, str], ...]:
        """Where an ID stands that is none, and what stands there: ``("header session-id", "undefined")``."""
        return tuple((place, text) for place, text in self._named() if is_lost(text))

    @property
    def is_lost(self) -> bool:
        """Whether an ID was lost on its way: key, header or field says ``undefined``, ``null`` or nothing."""
        return bool(self.lost_ids)

    def _named(self) -> Iterator[tuple[str, str]]:
        """Every place that holds a session's ID, with its text."""
        if self.key is not None:
            yield "key", self.key
        yield from ((f"header {name}", text) for name, text in self.headers if name in self.id_headers)
        yield from ((f"field {name}", text) for name, text in self.id_fields)

    @property
    def ref(self) -> str:
        """How evidence names this record."""
        return f"{self.topic}/{self.partition}@{self.offset}"


SESSION_ROLES = ("session", "media", "frontend")
"""The roles of the keys that name a session."""


@value
class IdMention:
    """One ID in one entry: under which key, in which role.

    Attributes:
        role: ``session``, ``media``, ``frontend``, ``connection``, ``turn``, ``trace``, ``text`` (found
            inside a text) or ``other`` (another session's by design: it never links).
    """

    role: str
    key: str
    text: str


class _ByRoles(dict[tuple[str, ...], tuple[str, ...]]):
    """Some roles -> the IDs in them. Who asks are rules and checks, so there are few keys, all short."""

    __slots__ = ("_mentions",)

    def __init__(self, mentions: tuple[IdMention, ...]) -> None:
        super().__init__()
        self._mentions = mentions

    def __missing__(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        texts = self[roles] = tuple(dict.fromkeys([one.text for one in self._mentions if one.role in roles]))
        return texts


class Ids:
    """What one line names, or each of many lines that name the same: they share one of these.

    Attributes:
        in_roles: some roles -> the IDs in them, each once, in order. Every rule and check asks each line of
            a session for the same few.
    """

    __slots__ = ("_mentions", "in_roles")

    def __init__(self, mentions: Iterable[IdMention] = ()) -> None:
        self._mentions = tuple(mentions)
        self.in_roles: Mapping[tuple[str, ...], tuple[str, ...]] = _ByRoles(self._mentions)

    def __iter__(self) -> Iterator[IdMention]:
        return iter(self._mentions)

    def __len__(self) -> int:
        return len(self._mentions)


NO_IDS = Ids()


@value
class Entry:
    """One log entry, understood and redacted.

    Attributes:
        time_ns: None only if neither the entry nor its neighbours in the file have a time.
        service: the catalogue's name of the service, or what the entry says, or empty.
        level: what the program said (``warning``, ``error``, ...), else the entry's severity; lower case.
        ref: ``pod@time#insertId``, or ``file:line`` for a line without an insert ID.
        fields: the payload without message, level and time; contents replaced by pseudonyms.
        order: the place in what was read.
        insert_id: the log service's own; empty for a line that was read from a file.
        time_known: False where the time was taken from a neighbouring line.
    """

    time_ns: int | None
    service: str
    pod: str
    level: str
    message: str
    ref: str
    order: int
    time_known: bool = True
    source: str = FILES
    insert_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    ids: Ids = NO_IDS

    def field(self, *names: str) -> str:
        """The first of `names` that the payload has, as text; empty if it has none."""
        for name in names:
            value = self.fields.get(name)
            if value is not None:
                return value if isinstance(value, str) else str(value)
        return ""

    def ids_in(self, *roles: str) -> tuple[str, ...]:
        """The IDs in these roles, each once, in order."""
        return self.ids.in_roles[roles]
