"""The media server stopped reading replies for this session.

What it tells
    The session's reader of ``audio-out`` ended about ten seconds after it began, on an ordinary
    timeout, while the caller was still there.

Why it matters
    From then on no reply audio can reach this caller over WebRTC, however well the rest works.

How it decides
    On the media server, ``Error reading from Kafka`` with the deadline's text, then ``Audio consumer
    stopped`` at once, 9 to 11 s after ``Starting audio consumer``, all on one pod, and no clean-up of the
    connection before it or within a second: a reader that goes on after a timeout ends with its caller.
    Where nobody writes to ``audio-out``, or this session's speech goes over the WebSocket, nothing is
    lost by it, and it is only an information.

What can fool it
    A dial error in the same line means that the broker was away. A reader that ends with its
    connection ends as it should. In the orchestrator the same text is idle noise.

What to do
    Compare the error with ``errors.Is(err, context.DeadlineExceeded)``: it arrives wrapped, so ``==``
    takes every idle timeout for the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from diag.checks.base import BROKER, LOGS, MEDIA_SERVER, Check, CheckContext, any_of, to_evidence
from diag.model.events import Event
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.instants import NS_PER_S
from diag.model.session import Session
from diag.model.turns import Turn
from diag.session.events import STAGE_EVENTS, stage_of

_DEADLINE = "deadline exceeded"
_DIAL = "dial"
_SOONEST_NS, _LATEST_NS = 9 * NS_PER_S, 11 * NS_PER_S
_AT_ONCE_NS = NS_PER_S
_TOPIC = "audio-out"
_ORCHESTRATOR, _MEDIA = "orchestrator", "media"
_ERAS_WITHOUT_REPLY_AUDIO = frozenset({"B", "C"})


def _run(context: CheckContext) -> Iterator[Finding]:
    readers = [
        event
        for event in context.session.named(
            "kafka.reader_start", "kafka.reader_error", "kafka.reader_stop", "media.cleanup"
        )
        if event.entry.service == MEDIA_SERVER or event.side == "media"
    ]
    cleaned_ns = [event.time_ns for event in readers if event.name == "media.cleanup"]
    by_pod: defaultdict[str, list[Event]] = defaultdict(list)
    for event in readers:
        by_pod[event.entry.pod].append(event)
    for events in by_pod.values():
        for death in _find_deaths(events):
            if not any(0 <= ns - death[2].time_ns <= _AT_ONCE_NS for ns in cleaned_ns):
                yield _finding(context, death)


def _find_deaths(events: list[Event]) -> Iterator[tuple[Event, Event, Event]]:
    """Each reader's start, error and stop, where they follow each other on a pod as a death does."""
    start: Event | None = None
    error: Event | None = None
    for event in events:
        if event.name == "kafka.reader_start":
            start, error = event, None
        elif event.name == "media.cleanup":
            start = None
        elif event.name == "kafka.reader_error" and start is not None:
            said = event.entry.field("error")
            error = event if _DEADLINE in said and _DIAL not in said else None
        elif event.name == "kafka.reader_stop" and start is not None and error is not None:
            if _is_death(start, error, event):
                yield start, error, event
            start = None


def _is_death(start: Event, error: Event, stop: Event) -> bool:
    lived_ns = stop.time_ns - start.time_ns
    return _SOONEST_NS <= lived_ns <= _LATEST_NS and stop.time_ns - error.time_ns <= _AT_ONCE_NS


def _finding(context: CheckContext, death: tuple[Event, Event, Event]) -> Finding:
    effect, harmless = _describe_effect(context)
    after_s = (death[2].time_ns - death[0].time_ns) / NS_PER_S
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=Severity.INFO if harmless else CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=MEDIA_SERVER,
        title="the session's reply reader ended",
        summary=f"The reader of audio-out ended {after_s:.1f} s after it began, on a timeout: {effect}.",
        evidence=to_evidence(list(death)),
        remedy="compare the error with errors.Is: the deadline arrives wrapped",
        sessions=context.session.session_ids,
        subjects=(death[0].entry.pod,) if death[0].entry.pod else (),
    )


def _describe_effect(context: CheckContext) -> tuple[str, bool]:
    """What it means for the caller, and whether it does no harm."""
    if _nobody_writes(context):
        return "nobody writes to audio-out here, so nothing was lost by it", True
    if _speaks_over_socket(context.session):
        return "this session's speech went over the WebSocket, so nothing was lost by it", True
    return "no reply audio can reach this caller over WebRTC afterwards", False


def _speaks_over_socket(session: Session) -> bool:
    """Whether a turn sent its speech over the socket, and no reply was ever written to Kafka."""
    if session.named("reply.published", "reply.publish_failed"):
        return False
    return any(map(_sends_speech, session.turns))


def _sends_speech(turn: Turn) -> bool:
    made = max(
        (step.time_ns for step in turn.steps if step.name in STAGE_EVENTS and stage_of(step) == "tts"),
        default=None,
    )
    sent = [step.time_ns for step in turn.deliveries if step.name == "bcast.delivered"]
    return made is not None and any(time_ns >= made for time_ns in sent)


def _nobody_writes(context: CheckContext) -> bool:
    """Whether audio-out has no producer: by its end offset, else by the versions that the lines betray."""
    facts = context.broker.topics.get(_TOPIC) if context.broker else None
    if facts is not None:
        return facts.end == 0
    if context.session.named("reply.published"):
        return False
    # the orchestrator's lines tell best; the two are of one version, else
    by_side = (_eras_around(context.session, side) for side in (_ORCHESTRATOR, _MEDIA))
    eras = next(filter(None, by_side), set())
    return any(era <= _ERAS_WITHOUT_REPLY_AUDIO for era in eras)


def _eras_around(session: Session, side: str) -> set[frozenset[str]]:
    """The versions that the lines of a side betray, the session's own and those around it."""
    own = {event.eras for event in session.events if event.eras and event.side == side}
    return own.union(session.neighbours.eras(side))


CHECK = Check(
    slug="kafka-session-consumer-died",
    title="the session's reply reader ended",
    severity=Severity.ERROR,
    scope=Scope.SESSION,
    requires=any_of(LOGS),
    confirms=any_of(BROKER),
    run=_run,
)
