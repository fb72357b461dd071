"""What the lines of a session do not prove, said beside what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.canonical_events import LIMITS
from diag.model.events import Event
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.neutral import shorten, to_code

_MOST_MESSAGES = 3
_MOST_CITED = 3
_LONGEST_MESSAGE = 80


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: the messages of one event, and what they leave open."""

    messages: str
    not_proved: str
    evidence: str


def build_limits(events: Iterable[Event], index: EvidenceIndex) -> tuple[Limit, ...]:
    """One row per event that is easily taken for more than it says, in the order of the session."""
    by_name: dict[str, list[Event]] = {}
    for event in events:
        if event.name in LIMITS:
            by_name.setdefault(event.name, []).append(event)
    return tuple(_to_row(name, alike, index) for name, alike in by_name.items())


def _to_row(name: str, alike: list[Event], index: EvidenceIndex) -> Limit:
    messages = list(dict.fromkeys(event.entry.message for event in alike))
    more = f" and {len(messages) - _MOST_MESSAGES} more" if len(messages) > _MOST_MESSAGES else ""
    shown = ", ".join(to_code(shorten(text, _LONGEST_MESSAGE)) for text in messages[:_MOST_MESSAGES])
    evidence = index.cite(event.to_evidence() for event in alike[:_MOST_CITED])
    others = f" and {len(alike) - _MOST_CITED} more" if len(alike) > _MOST_CITED else ""
    return Limit(shown + more, LIMITS[name], evidence + others)
