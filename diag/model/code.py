"""What a repository says of a session: the commit, where its log lines are written, which functions exist."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from diag.model.findings import Evidence
from diag.model.records import Entry

REPOSITORY = "repository"

CLAIMS: Mapping[str, tuple[str, ...]] = {
    "session IDs are validated": ("id.invalid_warn", "id.missing"),
    "the session mapping function exists and has a caller": ("map.direct", "map.guessed", "map.self"),
    "WebSocket sessions are mapped and cleaned up": ("ws.bind", "ws.close"),
}
"""What a report says of the code -> the events whose lines are written by the code in question."""


class Means(StrEnum):
    """How something was found in code: its language was parsed, or its text was looked through."""

    SYNTAX = "syntax"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class LogText:
    """A text that services log, to be looked for.

    Attributes:
        text: the message, or how the catalogue shows it where values vary.
        pieces: what of it is fixed, in order; one piece for a message that is always the same.
        service: who writes it; empty: any.
        event: its canonical event.
        code: where the catalogue says that it is written, ``FILE:FUNCTION``; empty: it does not.
    """

    text: str
    pieces: tuple[str, ...]
    service: str
    event: str
    code: str = ""

    @property
    def longest(self) -> str:
        """The piece that tells most."""
        return max(self.pieces, key=len, default="").strip()


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function as a catalogue or a stack names it: ``FILE:FUNCTION``, or the function alone."""

    name: str
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> FunctionName:
        """``pipeline/orchestrator/delivery.py:Delivery.send``."""
        path, colon, name = text.rpartition(":")
        return cls(name, path if colon else "")

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.path}:{self.name}" if self.path else self.name


@dataclass(frozen=True, slots=True)
class CodePlace:
    """One line of a file at the commit.

    Attributes:
        line: from 1.
        function: the one that it stands in, with its class; empty: in none.
        text: the line itself, redacted.
    """

    path: str
    line: int
    function: str = ""
    means: Means = Means.TEXT
    text: str = ""

    @property
    def ref(self) -> str:
        """``file:line``."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A log text and where it is written.

    Attributes:
        places: the likeliest, alike in rank, at most three; empty: no code was found that writes it.
        others: how many more places hold the text: code that is less likely, tests, documents.
        listed: where it stands in a list of messages, which code calls by a name.
        key: that name.
    """

    log: LogText
    places: tuple[CodePlace, ...]
    others: int = 0
    listed: CodePlace | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class FunctionFact:
    """A function that was asked for.

    Attributes:
        asked: why: what names it.
        definitions: where it is defined; empty: it was not found.
        elsewhere: without a caller: where something of this name is used, and nothing ties it to this one.
        callers: where it is called or handed on: in its own file, or in one that imports it; no tests.
        from_tests: how many tests do.
        unreached: it is called, and only by code that nobody is seen to call.
        called_outside: why a caller may stand outside of what is seen (a decorator, a dunder); else empty.
    """

    name: FunctionName
    asked: str
    definitions: tuple[CodePlace, ...]
    callers: tuple[CodePlace, ...] = ()
    from_tests: int = 0
    elsewhere: tuple[CodePlace, ...] = ()
    unreached: bool = False
    called_outside: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Attributes:
        hash: in full.
        time_ns: when it was committed.
        subject: its first line, redacted.
    """

    hash: str
    time_ns: int
    subject: str

    @property
    def short(self) -> str:
        """As people write it."""
        return self.hash[:10]


@dataclass(frozen=True, slots=True)
class FileFact:
    """A file at the commit.

    Attributes:
        blob: its hash; empty where the commit has no such file.
        last: the last commit that touched it; None: not known.
    """

    path: str
    blob: str
    last: Commit | None = None


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """All that was read of a repository.

    Attributes:
        branch: empty where the head is detached.
        changed: tracked files that differ from the commit; None: not known.
        bare: it has no files of its own.
        shallow: its history ends before its beginning.
        searched: files whose text was looked through; 0: none was, so nothing is known to be absent.
        left_out: files that could not be, because there are too many or they are not there.
        by_message: service and message of a line of the session -> where it is written.
    """

    commit: Commit
    branch: str = ""
    changed: int | None = None
    bare: bool = False
    shallow: bool = False
    searched: int = 0
    left_out: int = 0
    texts: tuple[WrittenText, ...] = ()
    functions: tuple[FunctionFact, ...] = ()
    files: tuple[FileFact, ...] = ()
    by_message: Mapping[tuple[str, str], WrittenText] = field(default_factory=dict)

    def find(self, entry: Entry) -> WrittenText | None:
        """Where a line of the session is written; None: it was not looked for."""
        return self.by_message.get((entry.service, entry.message))

    def writing(self, events: Collection[str]) -> tuple[WrittenText, ...]:
        """The texts of these events that code was found for."""
        return tuple(text for text in self.texts if text.log.event in events and text.places)

    def function_of(self, place: CodePlace) -> FunctionFact | None:
        """The function that a place stands in, if it was looked at."""
        name = FunctionName(place.function, place.path)
        return next((one for one in self.functions if one.name == name), None)

    def to_evidence(self, place: CodePlace) -> Evidence:
        """A line of code as something to look up."""
        where = f" in {place.function}" if place.function else ""
        how = "" if place.means is Means.SYNTAX else ", by text"
        return Evidence(0, place.ref, REPOSITORY, f"at {self.commit.short}{where}{how}: {place.text}")
