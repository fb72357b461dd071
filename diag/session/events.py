"""Entries -> events: what each line means."""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.catalogue import Catalogue
from diag.model.events import Event
from diag.model.records import Entry

UNKNOWN = "unknown"

_ALWAYS_SHOWN = ("error",)


def to_events(entries: Iterable[Entry], catalogue: Catalogue) -> tuple[Event, ...]:
    """The entries with their meaning, in the order given; no entry is dropped."""
    return tuple(_to_event(entry, catalogue) for entry in entries)


def _to_event(entry: Entry, catalogue: Catalogue) -> Event:
    known = catalogue.find(entry.message, entry.service)
    if known is None:
        side = catalogue.sides.get(entry.service, "")
        return Event(entry, UNKNOWN, side, _ALWAYS_SHOWN, level=entry.level)
    meaning, attributes = known
    return Event(
        entry,
        meaning.event,
        catalogue.sides.get(entry.service or meaning.service, ""),
        meaning.shows or _ALWAYS_SHOWN,
        attributes,
        meaning.eras,
        meaning.level or entry.level,
        meaning.attributed,
        meaning.same,
    )


def is_final_audio(event: Event) -> bool:
    """Whether an ``audio_data`` line is the last of an utterance."""
    return event.entry.field("isFinal").lower() == "true"


def is_listening(event: Event) -> bool | None:
    """What a ``Listening state updated`` line says: on, off, or nothing."""
    return {"true": True, "false": False}.get(event.entry.field("isListening").lower())
