"""Which of a session's records were stored and are gone, as against those that never were.

A record is known to have been stored if a line names the offset that the broker gave it, and to be gone
if the log no longer reaches over that offset. What no line names an offset of may be gone or may never
have been stored; then three things tell whether it can be gone: a log that begins above 0 has lost what
lay below, a topic without a record as old as the session may have been made anew, and a compacted one
keeps only the last record of a key. Where none of them holds nothing is gone; else the number is not
known, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.events import Event
from diag.model.instants import NS_PER_MS, NS_PER_S, format_instant
from diag.model.numbers import to_number
from diag.model.topics import BrokerFacts, TopicFacts
from diag.model.window import Window
from diag.session.flow.offsets import find_ranges

_CLOCKS_NS = NS_PER_S
_POLICY, _RETENTION = "cleanup.policy", "retention.ms"
_UNITS = (("days", 86_400), ("h", 3600), ("min", 60))


@dataclass(frozen=True, slots=True)
class Expiry:
    """What of a session is gone from a topic.

    Attributes:
        records: that surely were stored and are gone; 0 where none can be, or none is missing; None where
            some may be.
        note: what a reader should know; empty where nothing is gone.
    """

    records: int | None = None
    note: str = ""


def find_expired(
    topic: str, broker: BrokerFacts | None, events: Iterable[Event], span: Window | None, missing: int | None
) -> Expiry:
    """What is gone of what was written to a topic in `span`.

    Args:
        topic: its name.
        broker: as it is now; None: not known.
        events: the session's lines about the topic.
        span: from the session's first line, or the time in its ID, to its last one.
        missing: records that lines speak of and that were not found; None where that is not known.
    """
    if broker is None or span is None:
        return Expiry()
    # A line of later may name an offset that was not there yet.
    stored = find_ranges(event for event in events if event.time_ns < broker.read_ns)
    facts = broker.topics.get(topic)
    gone = sum(one.records if facts is None else one.count_gone(facts) for one in stored)
    if gone:
        why = "with the topic" if facts is None else f"now: {_describe(facts, span, broker)}"
        return Expiry(gone, f"{gone} record{'s' if gone > 1 else ''} of it stored, and gone {why}")
    if facts is None:
        return Expiry()
    if missing is not None and missing <= 0:
        return Expiry(0)
    doubt = _doubt(facts, span, broker, missing)
    return Expiry(None, doubt) if doubt else Expiry(0)


def _doubt(facts: TopicFacts, span: Window, broker: BrokerFacts, missing: int | None) -> str:
    """Why something may be gone of which no line names an offset; empty where nothing can be."""
    if any(_may_have_lost(facts, p, span.start_ns) for p in facts.offsets):
        return f"older records went, so what is missing may have expired: {_describe(facts, span, broker)}"
    if "compact" in facts.settings.get(_POLICY, ""):
        return "it keeps only the last record of each key (cleanup.policy)"
    if missing and not _is_as_old(facts, span.start_ns):
        return "it holds nothing as old as the session: made anew since, or nothing was stored before"
    if missing and not facts.settings:
        return "whether it is compacted is not known: its settings could not be read"
    return ""


def _may_have_lost(facts: TopicFacts, partition: int, first_ns: int) -> bool:
    """Whether something was removed from a partition that can be as young as the session."""
    begin, end = facts.offsets[partition]
    oldest_ns = facts.first_ns.get(partition)
    return begin > 0 and (begin == end or oldest_ns is None or oldest_ns > first_ns - _CLOCKS_NS)


def _is_as_old(facts: TopicFacts, first_ns: int) -> bool:
    return any(oldest_ns < first_ns for oldest_ns in facts.first_ns.values())


def _describe(facts: TopicFacts, span: Window, broker: BrokerFacts) -> str:
    begins = ", ".join(f"{begin} in {p}" for p, (begin, _) in sorted(facts.offsets.items()) if begin)
    if not begins:
        return "its log was made anew or cut back"
    oldest = min(facts.first_ns.values(), default=None)
    since = "" if oldest is None else f", its oldest record is of {format_instant(oldest, 0)}"
    kept = _describe_retention(facts, span.end_ns, broker.read_ns)
    return f"the log begins at offset {begins}{since}{kept}"


def _describe_retention(facts: TopicFacts, last_ns: int, now_ns: int) -> str:
    kept_ms = to_number(facts.settings.get(_RETENTION, ""))
    if kept_ms is None:
        return ""
    kept_ns, age_ns = kept_ms * NS_PER_MS, now_ns - last_ns
    if age_ns > kept_ns:
        return f", it keeps {_say(kept_ns)} and the session is {_say(age_ns)} old"
    return f", though it keeps {_say(kept_ns)}: deleted, or out of room"


def _say(ns: int) -> str:
    seconds = ns // NS_PER_S
    return next((f"{seconds // size} {name}" for name, size in _UNITS if seconds >= 2 * size), f"{seconds} s")
