"""The answer that there is no such session: what was seen instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

import diag
from diag.model.coverage import Coverage
from diag.model.diagnosis import Nearest, NothingFound, Query
from diag.model.events import Event
from diag.model.identifiers import Identifier, classify, is_lost
from diag.model.instants import NS_PER_S
from diag.session.select import EventFinder

_MOST = 5
_LIKE = 0.9
_COMPARED = 100  # characters: an ID of a megabyte must not cost a minute


def explain_nothing(query: Query, coverage: Coverage, finder: EventFinder) -> NothingFound:
    """Where a hub occurs, or else the sessions that were nearest to the question."""
    hub = finder.mentioning(frozenset({query.asked.text}))
    occurrences = tuple(_to_occurrence(event, query.asked.text) for event in hub)
    seen = [one for one in finder.session_ids() if one[0] != query.asked.text]
    nearest = () if occurrences else tuple(_nearest(query.asked, seen))
    return NothingFound(query, coverage, nearest, occurrences, diag.__version__)


def _to_occurrence(event: Event, hub: str) -> Nearest:
    beside = (text for text in event.entry.ids_in("session", "connection", "trace") if text != hub)
    return Nearest(next(beside, ""), event.time_ns, event.entry.service, event.text, event.entry.ref)


def _nearest(asked: Identifier, seen: Iterable[tuple[str, int, str]]) -> Iterable[Nearest]:
    """Alike in spelling first, then by time: of the ID's mint time, or the latest where it has none."""
    rows = list(seen)
    alike = [row for row in rows if _is_like(asked.text, row[0])]
    others = [row for row in rows if row not in alike]
    if asked.minted_ns is not None:
        minted = asked.minted_ns
        others.sort(key=lambda row: (abs((classify(row[0]).minted_ns or row[1]) - minted), row[0]))
    else:
        others.sort(key=lambda row: (-row[1], row[0]))
    for text, first_ns, service in [*sorted(alike), *others][:_MOST]:
        note = "spelt alike" if (text, first_ns, service) in alike else _gap(asked, text)
        yield Nearest(text, first_ns, service, note)


def _is_like(asked: str, text: str) -> bool:
    if is_lost(asked):
        return False
    one, other = asked[:_COMPARED].lower(), text[:_COMPARED].lower()
    return one in other or other in one or SequenceMatcher(None, one, other).ratio() >= _LIKE


def _gap(asked: Identifier, text: str) -> str:
    minted = classify(text).minted_ns
    if asked.minted_ns is None or minted is None:
        return ""
    gap_s = (minted - asked.minted_ns) / NS_PER_S
    return f"minted {abs(gap_s):.0f} s {'later' if gap_s >= 0 else 'earlier'}"
