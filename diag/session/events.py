"""Entries -> events: what each line means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from diag.model.catalogue import Catalogue, Meaning
from diag.model.events import Event
from diag.model.records import Entry
from diag.model.remembered import Remembered

UNKNOWN = "unknown"

STAGE_EVENTS = frozenset({"stage", "stage.done", "stage.error"})
"""What a stage's beginning and end are told by."""

_ALWAYS_SHOWN = ("error",)
_NO_MEANING = Meaning("", "", UNKNOWN)


def to_events(entries: Iterable[Entry], catalogue: Catalogue) -> tuple[Event, ...]:
    """The entries with their meaning, in the order given; no entry is dropped."""
    meant = Remembered[tuple[str, str], _Meant](lambda said: _find_meaning(*said, catalogue))
    return tuple([_to_event(entry, *meant[entry.message, entry.service]) for entry in entries])


_Meant = tuple[str, str, Meaning, Mapping[str, str]]
"""Name, side, meaning and attributes."""


def _find_meaning(message: str, service: str, catalogue: Catalogue) -> _Meant:
    known = catalogue.find(message, service)
    if known is None:
        return UNKNOWN, catalogue.sides.get(service, ""), _NO_MEANING, _NO_MEANING.attributes
    meaning, attributes = known
    return meaning.event, catalogue.sides.get(service or meaning.service, ""), meaning, attributes


def _to_event(entry: Entry, name: str, side: str, meaning: Meaning, attributes: Mapping[str, str]) -> Event:
    return Event(
        entry,
        name,
        side,
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


def stage_of(step: Event) -> str:
    """The stage that a line speaks of; ``service`` is the stage in the reference system's lines."""
    return step.value("stage") or step.entry.field("service")


def state_of(step: Event) -> str:
    """What the line says of its stage; empty for a line that says nothing of one."""
    if step.name == "stage.error":
        return "error"
    return step.value("state") if step.name == "stage" else ""
