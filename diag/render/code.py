"""What a repository says, in words."""

from __future__ import annotations

from diag.model.code import CodeFacts, CodePlace, Means
from diag.model.instants import NS_PER_S
from diag.model.session import Attribution, Session

_HOUR_S = 3_600
_DAY_S = 86_400


def describe_head(facts: CodeFacts) -> str:
    """``a32943a575 on main, 3 files not as committed``."""
    parts = [f"{facts.commit.short} on {facts.branch}" if facts.branch else f"{facts.commit.short}, detached"]
    if facts.changed:
        parts.append(f"{facts.changed} {'file' if facts.changed == 1 else 'files'} not as committed")
    return ", ".join(parts)


def describe_age(facts: CodeFacts, session: Session) -> str:
    """How the commit's time stands to the session: a later commit is not what ran."""
    first_ns, last_ns, at_ns = session.first_ns, session.last_ns, facts.commit.time_ns
    if first_ns is None or last_ns is None:
        return "the session's time is not known"
    if at_ns > last_ns:
        return f"committed {_span(at_ns - last_ns)} after the session: other code may have run"
    if at_ns > first_ns:
        return "committed while the session ran: other code may have run"
    return f"committed {_span(first_ns - at_ns)} before the session; which image ran is not told by that"


def _span(ns: int) -> str:
    seconds = ns // NS_PER_S
    for size, word in ((_DAY_S, "day"), (_HOUR_S, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    raise AssertionError


def count_written(facts: CodeFacts, session: Session) -> tuple[int, int]:
    """Of the session's different texts, those whose place is known, and all that were looked for."""
    entries = [one.event.entry if isinstance(one, Attribution) else one.entry for one in session.timeline]
    texts = {id(text): text for entry in entries if (text := facts.find(entry)) is not None}
    return sum(bool(text.places) for text in texts.values()), len(texts)


def describe_place(place: CodePlace) -> str:
    """``orchestrator/delivery.py:35 in Delivery.send``."""
    where = f" in {place.function}" if place.function else ""
    return f"{place.ref}{where}{'' if place.means is Means.SYNTAX else ', by text'}"
