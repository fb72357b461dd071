"""A session and a text -> where the session has it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from diag.model.events import Event
from diag.model.overview import Match, MatchKind
from diag.model.session import Session

_Look = Callable[[Event], str | None]
"""Where the text stands in one line; None where it does not."""


def normalise(text: str) -> str:
    """What is compared: without case, and a run of white space is one space, as output shows it."""
    return " ".join(text.split()).casefold()


def find_matches(session: Session, sought: str) -> tuple[Match, ...]:
    """The first line of each kind that has `sought`; none where nothing is sought.

    Only the session's own lines are looked at, as they are kept: redacted.
    """
    text = normalise(sought)
    return tuple(_find(session, text)) if text else ()


def _find(session: Session, text: str) -> Iterator[Match]:
    ids = {one for one in session.members if text in normalise(one)}
    looks: dict[MatchKind, _Look] = {
        MatchKind.ID: lambda event: next((m.text for m in event.entry.ids if m.text in ids), None),
        MatchKind.POD: lambda event: event.entry.pod if _begins(event.entry.pod, text) else None,
        MatchKind.MESSAGE: lambda event: "" if text in _shown(event, text) else None,
        MatchKind.FIELD: lambda event: _find_field(event, text),
    }
    for kind, look in looks.items():
        for event in session.events if kind is not MatchKind.ID or ids else ():
            where = look(event)
            if where is not None:
                yield _to_match(kind, where, event)
                break


def _begins(pod: str, text: str) -> bool:
    """Whether the pod is called so, with what stands before a name that several have or without."""
    named = normalise(pod)
    return named.startswith(text) or named.rpartition("/")[2].startswith(text)


def _shown(event: Event, text: str) -> str:
    """The message; for a text with ``name=value``, as somebody copied it from a report, with those, too."""
    return normalise(event.to_evidence().text if "=" in text else event.entry.message)


def _find_field(event: Event, text: str) -> str | None:
    """The field whose value has it, or an ID that stands in no field: a trace is in the entry's head."""
    for name, value in event.entry.fields.items():
        if any(text in normalise(one) for one in _texts_of(value)):
            return name
    return next((m.key for m in event.entry.ids if text in normalise(m.text)), None)


def _texts_of(value: Any) -> Iterator[str]:
    """Every value inside of a JSON value, as JSON writes it."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of(inner)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None:
        yield str(value)


def _to_match(kind: MatchKind, where: str, event: Event) -> Match:
    evidence = event.to_evidence()
    value = event.entry.field(where) if kind is MatchKind.FIELD else ""
    if value and value not in evidence.text:
        evidence = replace(evidence, text=" ".join(f"{evidence.text} {where}={value}".split()))
    return Match(kind, where, event.entry.service, evidence)
