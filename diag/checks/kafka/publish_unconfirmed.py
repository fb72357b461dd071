"""Fewer records are stored than the producer's lines say were published.

What it tells
    How many of the session's records a topic lacks, although the producer called each of them a success.

Why it matters
    A writer that waits for no answer (``acks=0``) calls everything a success that it handed to its
    socket. What was lost behind it is speech that nobody heard or a reply that nobody got, and no line
    says so.

How it decides
    On the topics of the audio path, the records that lines of success speak of are counted against the
    session's stored records. Lines of the last second before the broker was looked at do not count:
    their records may still be on their way.

What can fool it
    ``Failed to publish`` is no loss: such records were stored later more than once; so only records
    count. What was removed from the log since, or is compacted, may be what is missing: then nothing is
    claimed. Where no record of the topic names the session at all, its records may be told by something
    that diag does not know, and nothing is claimed either.

What to do
    Let the writer wait for an answer (``RequiredAcks``: one or all), and log success only after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from diag.checks.base import (
    BROKER,
    LOGS,
    RECORDS,
    Check,
    CheckContext,
    NotChecked,
    all_of,
    any_of,
    to_evidence,
)
from diag.model.events import Event
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.flow import TopicFlow
from diag.model.instants import NS_PER_S
from diag.model.topics import Path
from diag.session.flow.build import count_records
from diag.session.flow.passage import PRODUCED, topic_of

_IN_FLIGHT_NS = NS_PER_S
_MOST_LINES = 2


def _run(context: CheckContext) -> Iterator[Finding]:
    audio = {topic.name for topic in context.wanted if topic.path is Path.AUDIO}
    doubts, found = [], []
    for flow in context.session.flows:
        lines = _lines_of_success(context, flow) if flow.topic in audio else []
        said = count_records(lines)
        if said <= (flow.stored or 0):
            continue
        doubt = _doubt(context, flow)
        if doubt:
            doubts.append(doubt)
        else:
            found.append(_finding(context, flow, lines))
    if doubts and not found:
        raise NotChecked(doubts[0])
    yield from found


def _lines_of_success(context: CheckContext, flow: TopicFlow) -> list[Event]:
    looked_ns = context.broker.read_ns if context.broker else 0
    return [
        event
        for event in context.session.named(*PRODUCED)
        if topic_of(event) == flow.topic and event.time_ns < looked_ns - _IN_FLIGHT_NS
    ]


def _doubt(context: CheckContext, flow: TopicFlow) -> str:
    """Why the records that are missing prove nothing; empty if they do."""
    if flow.stored is None or not flow.complete or RECORDS in context.partial:
        return f"not every record of {flow.topic} was looked at"
    if flow.expired is None or flow.expired:  # what is known to be gone need not be all that is
        return f"what {flow.topic} lacks may have been stored and be gone"
    if not flow.stored:
        return f"no record of {flow.topic} names the session"
    return ""


def _finding(context: CheckContext, flow: TopicFlow, lines: list[Event]) -> Finding:
    said = count_records(lines)
    missing = said - len(flow.records)
    writers = sorted({event.entry.service for event in lines if event.entry.service})
    ends = [*lines[:_MOST_LINES], *lines[-_MOST_LINES:]]
    records = (*flow.records[:1], *flow.records[-1:])
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=", ".join(writers) or "producer",
        title=f"{missing} of {said} published are not stored",
        summary=(
            f"Lines speak of {said} records published to {flow.topic} for this session; "
            f"{len(flow.records)} are stored, so {missing} never arrived."
        ),
        evidence=tuple(dict.fromkeys((*to_evidence(ends), *(record.to_evidence() for record in records)))),
        remedy="let the writer wait for an answer (RequiredAcks: one or all)",
        sessions=context.session.session_ids,
        subjects=(flow.topic,),
    )


CHECK = Check(
    slug="kafka-publish-unconfirmed",
    title="published and not stored",
    severity=Severity.WARNING,
    scope=Scope.SESSION,
    requires=all_of(LOGS, BROKER),
    confirms=any_of(RECORDS),
    run=_run,
)
