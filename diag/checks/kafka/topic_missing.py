"""A topic that the deployment needs does not exist.

What it tells
    Which topic is missing, who fails for want of it, and since when.

Why it matters
    Without ``audio-in`` no word reaches the orchestrator; without ``audio-out`` no spoken reply comes
    back. Without a logging topic only the record of the stages is lost.

How it decides
    The broker's list says what is missing now. What was missing then is said by publish errors with
    code 3, more than once within 60 s, unless the topic holds an older record, or writing to it succeeded
    within 10 s of the first. Absence now counts for a session only if its window reaches now.
    The two audio topics are always wanted, a logging topic only if a service tries to write to it. If
    only logging topics are missing, that is a standing warning: the audio path is untouched.

What can fool it
    A single such error is a leader election, and so are some in a row if the next write succeeds.
    Consumers of a missing topic only say ``context deadline exceeded``, like idle ones, so their lines
    decide nothing.

What to do
    ``diag topics --create-missing``, then restart the consumers that it names: one that joined before
    the topic existed gets no partition of it until it joins again.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from diag.checks.base import (
    BROKER,
    LOGS,
    MOST_EVIDENCE,
    Check,
    CheckContext,
    any_of,
    to_evidence,
)
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity
from diag.model.instants import NS_PER_S
from diag.model.topics import Path, WantedTopic
from diag.session.flow.passage import topic_of

_ERROR_CODE_3 = re.compile(
    r"\[(?:Error )?3\]|Unknown ?Topic ?Or ?Partition|UNKNOWN_TOPIC_OR_PARTITION", re.IGNORECASE
)
_FAILURES = ("media.publish_failed", "reply.publish_failed", "log.publish_failed")
_WRITES = (*_FAILURES, "media.publish", "reply.published", "log.published")
_TOGETHER_NS = 60 * NS_PER_S
_APART_NS = NS_PER_S // 10
_ELECTION_NS = 10 * NS_PER_S


def _run(context: CheckContext) -> Iterator[Finding]:
    written = [(topic_of(event), event) for event in context.session.named(*_WRITES)]
    for topic in context.wanted:
        writes = [event for name, event in written if name == topic.name]
        failures = [event for event in writes if _says_unknown(event)]
        absent_now = _is_absent_now(context, topic)
        if not (absent_now or (_was_missing(writes) and not _was_there(context, topic, failures))):
            continue
        if topic.path is Path.LOGGING and not writes:
            continue
        yield _finding(context, topic, failures, absent_now=absent_now)


def _is_absent_now(context: CheckContext, topic: WantedTopic) -> bool:
    return context.reaches_now and context.broker is not None and topic.name not in context.broker.topics


def _was_there(context: CheckContext, topic: WantedTopic, failures: list[Event]) -> bool:
    """Whether the topic holds a record from before the failures, so that it was there all the time."""
    facts = context.broker.topics.get(topic.name) if context.broker else None
    first_ns = min(event.time_ns for event in failures)
    return facts is not None and any(ns < first_ns - _TOGETHER_NS for ns in facts.first_ns.values())


def _says_unknown(event: Event) -> bool:
    return event.name in _FAILURES and _ERROR_CODE_3.search(event.entry.field("error")) is not None


def _was_missing(writes: list[Event]) -> bool:
    """Whether failures in a row show that the topic was missing, not that a leader was elected."""
    failing: list[int] = []
    for event in writes:
        if _says_unknown(event):
            failing.append(event.time_ns)
        elif event.name not in _FAILURES:
            if _failed_repeatedly(failing) and event.time_ns - failing[0] > _ELECTION_NS:
                return True
            failing = []
    return _failed_repeatedly(failing)


def _failed_repeatedly(times: list[int]) -> bool:
    """More than one failure within a minute; the two lines that one packet leaves are one."""
    times = sorted(times)
    nexts = ((time_ns, bisect_left(times, time_ns + _APART_NS)) for time_ns in times)
    return any(place < len(times) and times[place] - time_ns <= _TOGETHER_NS for time_ns, place in nexts)


def _finding(
    context: CheckContext, topic: WantedTopic, failures: list[Event], *, absent_now: bool
) -> Finding:
    audio = topic.path is Path.AUDIO
    writers = sorted({event.entry.service for event in failures if event.entry.service}) or topic.producers
    return Finding(
        slug=CHECK.slug,
        scope=Scope.SESSION if audio else Scope.STANDING,
        severity=Severity.ERROR if audio else Severity.WARNING,
        confidence=Confidence.CONFIRMED,
        component=", ".join(writers) or "broker",
        title=f"{topic.name} does not exist",
        summary=_summarise(topic, failures, absent_now=absent_now),
        evidence=(*_absence(context, topic, absent_now=absent_now), *to_evidence(failures))[:MOST_EVIDENCE],
        remedy="diag topics --create-missing, then restart the consumers that it names",
        sessions=context.session.session_ids if audio else (),
        subjects=(topic.name,),
    )


def _summarise(topic: WantedTopic, failures: list[Event], *, absent_now: bool) -> str:
    now = f"The broker has no topic {topic.name}." if absent_now else f"The topic {topic.name} was missing."
    then = f" {len(failures)} publish errors of this session say so." if failures else ""
    lost = (
        " No audio can pass through it."
        if topic.path is Path.AUDIO
        else " Only the record of that stage is lost; the audio path does not need it."
    )
    return now + then + lost


def _absence(context: CheckContext, topic: WantedTopic, *, absent_now: bool) -> Iterator[Evidence]:
    if absent_now and context.broker is not None:
        names = ", ".join(sorted(n for n, facts in context.broker.topics.items() if not facts.internal))
        text = f"not among the broker's topics: {names or 'it has none'}"
        yield Evidence(0, f"topic/{topic.name}", "kafka", text)


CHECK = Check(
    slug="kafka-topic-missing",
    title="a topic is missing",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS, BROKER),
    confirms=any_of(BROKER),
    run=_run,
)
