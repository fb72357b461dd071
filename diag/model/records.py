"""What a source brings, before anything of it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log entry or line.

    Attributes:
        data: a LogEntry in its JSON form, any other JSON object, or a line of text.
        origin: ``file:line`` where it was read from a file (``-`` is standard input), else empty.
        source: the slug of the source that brought it.
    """

    data: Mapping[str, Any] | str
    origin: str = ""
    source: str = "files"


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One record of a topic without its contents: they are audio, or what was said.

    Attributes:
        time_ns: the broker's timestamp of the record.
        headers: names and texts, in order.
        id_fields: the ID fields of a JSON value, names and texts.
        size: bytes of the value.
    """

    topic: str
    partition: int
    offset: int
    time_ns: int
    key: str | None
    headers: tuple[tuple[str, str], ...] = ()
    id_fields: tuple[tuple[str, str], ...] = ()
    size: int = 0

    @property
    def ref(self) -> str:
        """How evidence names this record."""
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class IdMention:
    """One ID in one entry: under which key, in which role.

    Attributes:
        role: ``session``, ``media``, ``frontend``, ``connection``, ``turn``, ``trace``, ``text`` (found
            inside a text) or ``other`` (another session's by design: it never links).
    """

    role: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
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
    ids: tuple[IdMention, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    time_known: bool = True
    source: str = "files"
    insert_id: str = ""

    def field(self, *names: str) -> str:
        """The first of `names` that the payload has, as text; empty if it has none."""
        for name in names:
            value = self.fields.get(name)
            if value is not None:
                return value if isinstance(value, str) else str(value)
        return ""

    def ids_in(self, *roles: str) -> tuple[str, ...]:
        """The IDs in these roles, each once, in order."""
        return tuple(dict.fromkeys(mention.text for mention in self.ids if mention.role in roles))
