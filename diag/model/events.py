"""An event: a log entry and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from diag.model.findings import Evidence
from diag.model.records import Entry
from diag.model.values import value

MEDIA = "media"
ORCHESTRATOR = "orchestrator"

_LONGEST_VALUE = 160
_SHOWN_ROLES = ("session", "media", "frontend", "connection")


@value
class Event:
    """A log entry and what the catalogue says it means.

    Attributes:
        name: the canonical event (``whip.session``), ``log`` for a known line that marks no step,
            ``unknown`` for a line that no catalogue entry fits.
        attributes: from the message and the catalogue.
        side: which part of the system wrote it: ``media``, ``orchestrator``, ``stt``, ...
        shows: the payload fields that matter to a reader.
        level: how bad it is: by the catalogue where it knows better than the entry.
        attributed: how the catalogue attributes it where it names no session; empty: it does not.
        same: its fields -> those of a session's own line that hold the same.
        time_ns: when; 0 where nothing gives it a time.
    """

    entry: Entry
    name: str
    side: str
    shows: tuple[str, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    eras: frozenset[str] = frozenset()
    level: str = ""
    attributed: str = ""
    same: Mapping[str, str] = field(default_factory=dict)
    time_ns: int = field(init=False, compare=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_ns", self.entry.time_ns or 0)

    @property
    def text(self) -> str:
        """The line for a person, made when one asks: ``Connection state changed state=connected``."""
        parts = [self.entry.message or "(no message)"]
        for name in self.shows:
            value = self.entry.field(name)
            # the line's own service is in the reference already; as a value it means a stage
            if value and not (name == "service" and value == self.entry.service):
                shown = value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "..."
                parts.append(f"{name}={shown}")
        return " ".join(" ".join(parts).split())

    def value(self, *names: str) -> str:
        """An attribute, or else the payload field of that name; empty if neither is there."""
        for name in names:
            if name in self.attributes:
                return self.attributes[name]
        return self.entry.field(*names)

    def to_evidence(self) -> Evidence:
        """This event as something to look up."""
        text = self.text
        named = (f"{m.key}={m.text}" for m in self.entry.ids if m.role in _SHOWN_ROLES and m.text not in text)
        time_ns = self.time_ns if self.entry.time_known else 0
        return Evidence(time_ns, self.entry.ref, self.entry.source, " ".join((text, *named)))
