"""Old audio of this session was processed as if it had just been spoken.

What it tells
    How old the session's records were when the orchestrator took them up, and how many.

Why it matters
    A consumer that works through old records is late for every caller by as much, and answers people
    who have long hung up: its pods are busy with the dead while the living wait.

How it decides
    Where a line of consumption names the record that it took, the record's own time tells: more than
    60 s old, and more than its clocks differ by, is stale. Elsewhere the session's ID tells when it began:
    consumed more than 10 min later, without a line of the caller's media or a record of it within 2 min,
    and with the media server heard at that time. It is sure only if the session's records were all read.

What can fool it
    A long session goes on publishing; records up to 16 s old after an outage, and half a minute after
    a consumer was killed, are normal. A publish line may be lost, so a fresh record speaks against it.

What to do
    Look at the group's lag (``diag topics``). A group that is new, or was renamed, begins at the first
    record that is kept (kafka-go's default): let it begin at the last one, and skip what is too old.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diag.checks.base import (
    BROKER,
    LOGS,
    MEDIA_SERVER,
    MOST_EVIDENCE,
    ORCHESTRATOR,
    RECORDS,
    Check,
    CheckContext,
    NotChecked,
    all_of,
    any_of,
)
from diag.model.events import Event
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.flow import TopicFlow
from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.model.session import Session
from diag.model.window import MINUTE_NS, Window
from diag.session.flow.offsets import range_of
from diag.session.flow.passage import topic_of
from diag.session.flow.sending import sent_ns

_OLD_NS = MINUTE_NS
_LONG_AFTER_NS = 10 * MINUTE_NS
_GOES_ON_NS = 2 * MINUTE_NS
_OF_THE_CALLER = ("whip.", "ice.", "media.", "speech.")
"""Events of the caller's own media; what reads replies for a session goes on without its caller."""


@dataclass(frozen=True, slots=True)
class _Stale:
    """A line of consumption that came too late; `record` None where the ID alone says so."""

    event: Event
    age_ns: int
    record: KafkaRecord | None = None


def _run(context: CheckContext) -> Iterator[Finding]:
    session = context.session
    flows = {flow.topic: flow for flow in session.flows}
    places = {(one.topic, one.partition, one.offset): one for flow in session.flows for one in flow.records}
    named = [(event, places.get(_place_of(event))) for event in session.named("kafka.consume")]
    stale = list(_find_old(session, [(event, record) for event, record in named if record is not None]))
    stale += _find_by_birth(context, [event for event, record in named if record is None])
    if stale:
        yield _finding(context, stale, sure=_is_sure(context, stale, flows))


def _place_of(event: Event) -> tuple[str, int, int]:
    """Topic, partition and offset of the one record that a line of consumption names; -1 if it does not."""
    named = range_of(event)
    if named is None or named.first != named.last:
        return "", -1, -1
    return topic_of(event), named.partition, named.first


def _find_old(session: Session, taken: Iterable[tuple[Event, KafkaRecord]]) -> Iterator[_Stale]:
    """Records that were old when they were taken, whatever the session's clocks differ by."""
    slack_ns = max((abs(clock.shift_ns) for clock in session.clocks.pods), default=0)
    for event, record in taken:
        written_ns = _time_of(record)
        if written_ns is not None and event.time_ns - written_ns > _OLD_NS + slack_ns:
            yield _Stale(event, event.time_ns - written_ns, record)


def _time_of(record: KafkaRecord) -> int | None:
    """When it was sent or stored, whichever is later: nothing is older than it surely is. None: unknown."""
    latest_ns = max(record.time_ns, sent_ns(record) or 0)
    return latest_ns if latest_ns > 0 else None


def _find_by_birth(context: CheckContext, consumed: list[Event]) -> list[_Stale]:
    """Consumption long after the session began, while nothing shows that it went on."""
    minted_ns = context.session.minted_ns or 0
    late = [event for event in consumed if minted_ns and event.time_ns - minted_ns > _LONG_AFTER_NS]
    alive = _find_signs_of_life(context.session) if late else []
    late = [event for event in late if not _is_near(alive, event.time_ns)]
    if late and LOGS in context.partial:
        raise NotChecked("logs came only in part, so publishing may have gone on unseen")
    if late and not all(_hears_media(context, event) for event in late):
        raise NotChecked(f"no entries of {MEDIA_SERVER} were read around the consumption")
    return [_Stale(event, event.time_ns - minted_ns) for event in late]


def _find_signs_of_life(session: Session) -> list[int]:
    """When the caller's media was there, or a record of it was written; not every server logs publishing."""
    lines = (event.time_ns for event in session.events if event.name.startswith(_OF_THE_CALLER))
    records = (_time_of(record) for flow in session.flows for record in flow.records)
    return sorted((*lines, *(written_ns for written_ns in records if written_ns is not None)))


def _is_near(times: list[int], time_ns: int) -> bool:
    place = bisect_left(times, time_ns - _GOES_ON_NS)
    return place < len(times) and times[place] <= time_ns + _GOES_ON_NS


def _hears_media(context: CheckContext, event: Event) -> bool:
    return context.coverage.hears(MEDIA_SERVER, Window(event.time_ns, event.time_ns))


def _is_sure(context: CheckContext, stale: list[_Stale], flows: dict[str, TopicFlow]) -> bool:
    """Whether records say so: those that were taken, or all that the topic has of the session."""
    if any(one.record is not None for one in stale):
        return True
    topics = [flows.get(topic_of(one.event)) for one in stale]
    return RECORDS not in context.partial and all(flow and flow.complete and flow.records for flow in topics)


def _finding(context: CheckContext, stale: list[_Stale], *, sure: bool) -> Finding:
    worst = max(stale, key=lambda one: one.age_ns)
    basis = "after it was sent" if worst.record is not None else "after the session began"
    services = sorted({one.event.entry.service for one in stale if one.event.entry.service})
    evidence = [one.event.to_evidence() for one in stale]
    records = [one.record.to_evidence() for one in stale if one.record is not None]
    if not records and sure:
        own = [record for flow in context.session.flows for record in flow.records]
        records = [max(own, key=lambda record: record.time_ns).to_evidence()]
    half = MOST_EVIDENCE // 2
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED if sure else Confidence.SUSPECTED,
        component=", ".join(services) or ORCHESTRATOR,
        title=f"audio was processed {_say(worst.age_ns)} late",
        summary=(
            f"{len(stale)} line{'s' if len(stale) > 1 else ''} of consumption took up old audio of this "
            f"session, the oldest {_say(worst.age_ns)} {basis}: nobody waits for its answer."
        ),
        evidence=tuple(dict.fromkeys((*evidence[:half], *records[:half]))),
        remedy="look at the group's lag (diag topics); let a new group begin at the last record",
        sessions=context.session.session_ids,
        subjects=tuple(dict.fromkeys(topic_of(one.event) for one in stale)),
    )


def _say(ns: int) -> str:
    seconds = ns // NS_PER_S
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


CHECK = Check(
    slug="kafka-stale-replay",
    title="old audio was processed",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=all_of(BROKER, RECORDS),
    run=_run,
)
