"""Old audio of this session was processed as if it had just been spoken.

What it tells
    How old the session's records were when the orchestrator took them up, and how many.

Why it matters
    A consumer that works through old records is late for every caller by as much, and answers people
    who have long hung up: its pods are busy with the dead while the living wait.

How it decides
    Where a line of consumption names the record that it took, the record's own time tells: more than
    60 s old is stale. Elsewhere the session's ID tells when it began: consumed more than 10 min later,
    without a publish line of it within 2 min, and with the media server heard at that time. It is sure
    only if the session's records were read and none is younger than a minute before.

What can fool it
    A long session goes on publishing; records up to 16 s old after an outage, and half a minute after
    a consumer was killed, are normal. A publish line may be lost, so a fresh record speaks against it.

What to do
    Look at the group's lag (``diag topics``). A group that is new, or was renamed, begins at the first
    record that is kept (kafka-go's default): let it begin at the last one, and skip what is too old.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from diag.checks.kafka.evidence import record_to_evidence
from diag.model.events import Event
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.flow import TopicFlow
from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.model.window import MINUTE_NS, Window
from diag.session.passage import topic_of
from diag.session.sending import sent_ns
from diag.session.stretches import find_stretches

_OLD_NS = MINUTE_NS
_LONG_AFTER_NS = 10 * MINUTE_NS
_GOES_ON_NS = 2 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class _Stale:
    """A line of consumption that came too late; `record` None where the ID alone says so."""

    event: Event
    age_ns: int
    record: KafkaRecord | None = None


def _run(context: CheckContext) -> Iterator[Finding]:
    consumed = context.session.named("kafka.consume")
    flows = {flow.topic: flow for flow in context.session.flows}
    named = [(event, _taken_by(event, flows.get(topic_of(event)))) for event in consumed]
    stale = [
        _Stale(event, age_ns, record)
        for event, record in named
        if record is not None and (age_ns := event.time_ns - _time_of(record)) > _OLD_NS
    ]
    stale += _find_by_birth(context, [event for event, record in named if record is None])
    if stale:
        yield _finding(context, stale, sure=_is_sure(context, stale, flows))


def _taken_by(event: Event, flow: TopicFlow | None) -> KafkaRecord | None:
    """The session's record that a line of consumption names."""
    places = {(one.partition, one.first) for one in find_stretches([event]) if one.first == one.last}
    own = flow.records if flow and places else ()
    return next((record for record in own if (record.partition, record.offset) in places), None)


def _time_of(record: KafkaRecord) -> int:
    """When it was sent or stored, whichever is later: nothing is older than it surely is."""
    return max(record.time_ns, sent_ns(record) or 0)


def _find_by_birth(context: CheckContext, consumed: list[Event]) -> list[_Stale]:
    """Consumption long after the session began, while nothing of it was published."""
    session, minted_ns = context.session, context.session.minted_ns
    late = [event for event in consumed if minted_ns and event.time_ns - minted_ns > _LONG_AFTER_NS]
    fresh = [event.time_ns for event in session.named("media.publish", "media.publish_failed")]
    fresh += [_time_of(record) for flow in session.flows for record in flow.records]
    late = [event for event in late if not any(abs(event.time_ns - ns) <= _GOES_ON_NS for ns in fresh)]
    if late and LOGS in context.partial:
        raise NotChecked("logs came only in part, so publishing may have gone on unseen")
    if late and not all(_hears_media(context, event) for event in late):
        raise NotChecked(f"no entries of {MEDIA_SERVER} were read around the consumption")
    return [_Stale(event, event.time_ns - (minted_ns or 0)) for event in late]


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
    records = [record_to_evidence(one.record) for one in stale if one.record is not None]
    if not records and sure:
        own = [record for flow in context.session.flows for record in flow.records]
        records = [record_to_evidence(max(own, key=lambda record: record.time_ns))]
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
