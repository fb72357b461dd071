"""Entries -> events: what each line means, and how a person reads it."""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.catalogue import Catalogue
from diag.model.records import Entry
from diag.model.session import Event

UNKNOWN = "unknown"

_LONGEST_VALUE = 160
_ALWAYS_SHOWN = ("error",)


def to_events(entries: Iterable[Entry], catalogue: Catalogue) -> tuple[Event, ...]:
    """The entries with their meaning, in the order given; no entry is dropped."""
    return tuple(_to_event(entry, catalogue) for entry in entries)


def _to_event(entry: Entry, catalogue: Catalogue) -> Event:
    known = catalogue.find(entry.message, entry.service)
    if known is None:
        side = catalogue.sides.get(entry.service, "")
        return Event(entry, UNKNOWN, side, _describe(entry, _ALWAYS_SHOWN), level=entry.level)
    meaning, attributes = known
    return Event(
        entry,
        meaning.event,
        catalogue.sides.get(entry.service or meaning.service, ""),
        _describe(entry, meaning.shows or _ALWAYS_SHOWN),
        attributes,
        meaning.eras,
        meaning.level or entry.level,
    )


def _describe(entry: Entry, shows: tuple[str, ...]) -> str:
    """The message and the fields that matter: ``Connection state changed state=connected``."""
    parts = [entry.message or "(no message)"]
    for name in shows:
        value = entry.field(name)
        # the line's own service is in the reference already; as a value it means a stage
        if value and not (name == "service" and value == entry.service):
            parts.append(
                f"{name}={value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + '...'}"
            )
    return " ".join(" ".join(parts).split())


def is_final_audio(event: Event) -> bool:
    """Whether an ``audio_data`` line is the last of an utterance."""
    return event.entry.field("isFinal").lower() == "true"


def is_listening(event: Event) -> bool | None:
    """What a ``Listening state updated`` line says: on, off, or nothing."""
    return {"true": True, "false": False}.get(event.entry.field("isListening").lower())
