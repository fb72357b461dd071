"""What logs propose for a catalogue, and the lines as learning sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SeenLine:
    """One log line, as far as learning needs it.

    Attributes:
        service: the catalogue's name of the service, or else whatever names it.
        message: redacted, as the catalogue is asked for it.
        values: payload and label fields with a single value, nested keys with dots; contents and
            secrets left out. They are compared and measured, never printed.
        readable: False for a line that no shape fits.
    """

    service: str
    message: str
    values: tuple[tuple[str, str], ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ProposedLine:
    """A message, or a pattern where `pattern` is not empty.

    Attributes:
        text: the exact message, or how the pattern is shown.
        sample: a made-up message that the pattern matches; no value of a log is in it.
        count: lines that it stands for.
    """

    text: str
    count: int
    event: str = "log"
    pattern: str = ""
    sample: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedService:
    """What one service writes that the catalogue does not know; `side` is empty where it is known."""

    name: str
    side: str
    lines: tuple[ProposedLine, ...]


@dataclass(frozen=True, slots=True)
class ProposedKey:
    """A field that holds IDs.

    Attributes:
        role: empty where it should not link: the user decides.
        lines: that have it.
        services: that write it.
        shared: some of its values stand in other services' lines, too.
        form: a regular expression for its IDs, empty where diag knows their form.
    """

    key: str
    role: str
    lines: int
    services: tuple[str, ...]
    shared: bool
    form: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``diag catalogue learn`` proposes.

    Attributes:
        lines: read in all.
        known: of these, lines that the catalogue knows.
        unreadable: lines that no shape fits.
        unnamed: lines without a message, or whose message has no constant words.
        dropped: lines of rarer texts, beyond the bound on different texts.
    """

    services: tuple[ProposedService, ...]
    keys: tuple[ProposedKey, ...]
    lines: int
    known: int
    unreadable: int = 0
    unnamed: int = 0
    dropped: int = 0
