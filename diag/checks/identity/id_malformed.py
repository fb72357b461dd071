"""An ID fits no known grammar.

What it tells
    A service or client used an ID that none of the known parts mints: a foreign client, a truncated or
    re-cased ID, a homemade one.

Why it matters
    Such an ID often is half of another one, and then nothing that was sent under it arrives.

How it decides
    Every session ID of the session's own lines, and on the keys, headers and JSON fields of its records,
    is classified by its form alone; the classes are counted.

What can fool it
    IDs of tests (``test_session_...`` and the like) are a class of their own, a short random part is
    still well-formed, and what was lost altogether is ``id-undefined``. IDs of services that diag does
    not know are well-formed if your catalogue gives their form (``[forms]`` in docs/catalogue.md).

    An ID that every part of the session uses, and no other, was lost nowhere: the services have a form of
    their own, and that is worth a word (info) and no more. So is a session's only ID that is like none of
    the known forms, where no session around it has an ID of one of them.

What to do
    See which line brought it in first, and let that part use the ID that it was given, unchanged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from diag.checks.base import LOGS, MOST_EVIDENCE, RECORDS, Check, CheckContext, any_of
from diag.model.events import Event
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity
from diag.model.identifiers import IdKind, classify, is_lost
from diag.model.records import SESSION_ROLES, KafkaRecord
from diag.model.session import Session
from diag.session.identity.presence import DELIVER, MEDIA_HALF, WORK_HALF, WS_AUDIO

_SHORT_RANDOM = re.compile(r"session_(?:[0-9]{13}|[0-9]{16}|[0-9]{19})_[0-9a-z]{1,7}")
_NUMBERED = re.compile(r"session_([0-9]+)(_.*)?", re.DOTALL)
_LIKE_KNOWN = re.compile(r"\W{0,3}(?:session|ws)[^a-z]|\d{8}", re.IGNORECASE)
_KNOWN_DIGITS = (13, 16, 19)
_LONGEST_SHOWN = 80
_OWN_FORM = "if your services mint such IDs, give their form under [forms] (docs/catalogue.md)"


@dataclass(slots=True)
class _Seen:
    """Where one ID was seen."""

    lines: list[Event] = field(default_factory=list)
    records: list[KafkaRecord] = field(default_factory=list)

    def count(self) -> str:
        """In words: ``3 lines, 1 record``."""
        counts = ((len(self.lines), "line"), (len(self.records), "record"))
        return ", ".join(f"{n} {what}{'s' if n > 1 else ''}" for n, what in counts if n)

    def first(self) -> Evidence:
        """The first line, or else the first record, that has it."""
        return self.lines[0].to_evidence() if self.lines else _to_evidence(self.records[0])


def _run(context: CheckContext) -> Iterator[Finding]:
    seen: defaultdict[str, _Seen] = defaultdict(_Seen)
    session = context.session
    named = {text for ids in session.named_ids for text in ids.in_roles[SESSION_ROLES]}
    odd = {text for text in named if _is_malformed(text, session)}
    for event in session.events if odd else ():
        for text in event.entry.ids_in(*SESSION_ROLES):
            if text in odd:
                seen[text].lines.append(event)
    for record in (record for flow in session.flows for record in flow.records):
        for text in record.session_ids:
            if _is_malformed(text, session):
                seen[text].records.append(record)
    if seen:
        yield _finding(context, seen)


def _is_malformed(text: str, session: Session) -> bool:
    """By every grammar that diag and the user's catalogue know."""
    known = classify(text).kind is not IdKind.MALFORMED or _SHORT_RANDOM.fullmatch(text)
    return not known and not session.fits_own_form(text)


def _finding(context: CheckContext, seen: dict[str, _Seen]) -> Finding:
    listed = "; ".join(f"{_cut(text)}: {_describe(text)}, {seen[text].count()}" for text in sorted(seen))
    firsts = sorted(seen.values(), key=lambda one: one.first().time_ns)
    whole = _is_own_form(context.session)
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=Severity.INFO if whole else CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=_component(firsts[0], context),
        title="an ID of no known form",
        summary=f"{len(seen)} session ID{'s' if len(seen) > 1 else ''} of no known form: {listed}.",
        evidence=tuple(one.first() for one in firsts[:MOST_EVIDENCE]),
        remedy=_OWN_FORM
        if whole
        else "let the part that brought it in use the ID that it was given, unchanged",
        sessions=context.session.session_ids,
    )


def _is_own_form(session: Session) -> bool:
    """Whether the session has one ID, and nothing speaks for its being what is left of another."""
    facets = session.facets
    if len(session.session_ids) != 1 or not facets:
        return len(session.session_ids) == 1
    whole = bool(facets & (WORK_HALF | {DELIVER})) and bool(facets & (MEDIA_HALF | {WS_AUDIO}))
    return whole or not (_LIKE_KNOWN.match(session.id) or _meets_known_forms(session))


def _meets_known_forms(session: Session) -> bool:
    """Whether a session around it has an ID of a form that diag knows."""
    around = session.neighbours.named("whip.session", "ws.bind")
    texts = (text for event in around for text in event.entry.ids_in(*SESSION_ROLES))
    return any(not _is_malformed(text, session) for text in texts if not is_lost(text))


def _component(seen: _Seen, context: CheckContext) -> str:
    """Who wrote the line, or writes to the topic."""
    if seen.lines:
        return seen.lines[0].entry.service or "unknown"
    topic = next((one for one in context.wanted if one.name == seen.records[0].topic), None)
    return ", ".join(topic.producers) if topic and topic.producers else "unknown"


def _to_evidence(record: KafkaRecord) -> Evidence:
    text = f"record of {record.size} bytes that names {' and '.join(map(_cut, record.session_ids))}"
    return Evidence(record.time_ns, record.ref, "kafka", text)


def _describe(text: str) -> str:
    if text != text.lower() and classify(text.lower()).kind is not IdKind.MALFORMED:
        return "changed case"
    if "%" in text:
        return "URL-encoded"
    numbered = _NUMBERED.fullmatch(text)
    if numbered is None:
        return "no known prefix"
    if len(numbered[1]) not in _KNOWN_DIGITS:
        return f"a timestamp of {len(numbered[1])} digits"
    return "an unusual random part" if numbered[2] else "no random part"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text)} characters)"


CHECK = Check(
    slug="id-malformed",
    title="an ID of no known form",
    severity=Severity.WARNING,
    scope=Scope.SESSION,
    requires=any_of(LOGS, RECORDS),
    confirms=(),
    run=_run,
)
