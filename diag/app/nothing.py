"""The answer that there is no such session: what was seen instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from heapq import nsmallest
from typing import Any

import diag
from diag.model.coverage import Coverage
from diag.model.diagnosis import Nearest, NothingFound, Query
from diag.model.events import Event
from diag.model.identifiers import Identifier, classify, is_lost
from diag.model.instants import NS_PER_S
from diag.session.select import EventFinder

_MOST = 5
_MOST_OCCURRENCES = 500
"""Of what a million lines carry: enough to see by whom, and few enough to be read."""

_SHORTEST_HELD = 6
"""Characters of what is looked for as a mere value: a shorter one stands everywhere."""

_LONGEST_TEXT = 1_000
"""Characters of a line that is shown among such occurrences."""

_LIKE = 0.9
_COMPARED = 100  # characters: an ID of a megabyte must not cost a minute
_MOST_COMPARED = 10_000  # in spelling, of all that were seen: nor must a day's sessions
_TAIL = 6


def explain_nothing(query: Query, coverage: Coverage, finder: EventFinder) -> NothingFound:
    """Where a hub occurs, or else the sessions that were nearest to the question."""
    asked = query.asked.text
    first, total = finder.first_mentioning(asked, _MOST_OCCURRENCES)
    if total:
        occurrences = tuple(_to_occurrence(event, asked) for event in first)
        return NothingFound(query, coverage, (), occurrences, total, diag.__version__)
    if len(asked) >= _SHORTEST_HELD and not is_lost(asked):
        held, total = finder.first_holding(asked, _MOST_OCCURRENCES)
        keys = tuple(sorted({key for event in held for key in _keys_of(event.entry.fields, asked)}))
        if keys:
            occurrences = tuple(_to_occurrence(event, asked) for event in held)
            return NothingFound(query, coverage, (), occurrences, total, diag.__version__, keys)
    seen = [one for one in finder.session_ids() if one[0] != asked]
    return NothingFound(query, coverage, tuple(_nearest(query.asked, seen)), version=diag.__version__)


def _to_occurrence(event: Event, hub: str) -> Nearest:
    beside = (text for text in event.entry.ids_in("session", "connection", "trace") if text != hub)
    text = event.text
    shown = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
    by = event.entry.service or event.entry.pod
    return Nearest(next(beside, ""), event.time_ns, by, shown, event.entry.ref)


def _keys_of(fields: Any, text: str, path: str = "") -> Iterator[str]:
    """The paths under which a payload holds just `text`: ``call.id``."""
    if isinstance(fields, Mapping):
        for key, value in fields.items():
            yield from _keys_of(value, text, f"{path}.{key}" if path else str(key))
    elif isinstance(fields, list):
        for value in fields:
            yield from _keys_of(value, text, path)
    elif path and str(fields) == text:
        yield path


_Seen = tuple[str, int, str]
"""A session ID, when it was first seen, and by whom."""


def _nearest(asked: Identifier, seen: Sequence[_Seen]) -> Iterable[Nearest]:
    """Alike in spelling first, then by time: of the ID's mint time, or the latest where it has none."""
    near = sorted(seen, key=lambda row: _distance(asked, row))
    # a slip in the time inside leaves the end as it is, a slip at the end leaves the time
    tail = asked.text[-_TAIL:].lower()
    compared = (*near[:_MOST_COMPARED], *(row for row in near if row[0][-_TAIL:].lower() == tail))
    likeness = {row: _likeness(asked.text, row[0]) for row in compared[: 2 * _MOST_COMPARED]}
    alike = nsmallest(_MOST, filter(likeness.get, likeness), key=lambda row: (-likeness[row], row))
    for row in [*alike, *(row for row in near[: 2 * _MOST] if row not in alike)][:_MOST]:
        text, first_ns, service = row
        yield Nearest(text, first_ns, service, "spelt alike" if row in alike else _gap(asked, text))


def _distance(asked: Identifier, row: _Seen) -> tuple[int, str]:
    text, first_ns, _ = row
    if asked.minted_ns is None:
        return -first_ns, text
    return abs((classify(text).minted_ns or first_ns) - asked.minted_ns), text


def _likeness(asked: str, text: str) -> float:
    """From `_LIKE` to 1, where one is a part of the other; 0 for less."""
    if is_lost(asked):
        return 0
    one, other = asked[:_COMPARED].lower(), text[:_COMPARED].lower()
    if one in other or other in one:
        return 1
    compared = SequenceMatcher(None, one, other)
    # the first two are bounds of the third, and much cheaper
    for ratio in (compared.real_quick_ratio, compared.quick_ratio, compared.ratio):
        if ratio() < _LIKE:
            return 0
    return ratio()


def _gap(asked: Identifier, text: str) -> str:
    minted = classify(text).minted_ns
    if asked.minted_ns is None or minted is None:
        return ""
    gap_s = (minted - asked.minted_ns) / NS_PER_S
    return f"minted {abs(gap_s):.0f} s {'later' if gap_s >= 0 else 'earlier'}"
