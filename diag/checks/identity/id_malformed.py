"""An ID fits no known grammar.

What it tells
    A service or client used an ID that none of the known parts mints: a foreign client, a truncated or
    re-cased ID, a homemade one.

Why it matters
    Such an ID often is half of another one, and then nothing that was sent under it arrives.

How it decides
    Every session ID of the session's own lines and records is classified by its form alone; the
    classes are counted.

What can fool it
    IDs of tests (``test_session_...`` and the like) are a class of their own, a short random part is
    still well-formed, and what was lost altogether is ``id-undefined``. IDs of services that diag does
    not know are well-formed if your catalogue gives their form (``[forms]`` in docs/catalogue.md).

What to do
    See which line brought it in first, and let that part use the ID that it was given, unchanged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from diag.checks.base import LOGS, RECORDS, Check, CheckContext, any_of, to_evidence
from diag.model.findings import Confidence, Finding, Scope, Severity
from diag.model.identifiers import IdKind, classify
from diag.model.session import Event

_ROLES = ("session", "media", "frontend")
_SHORT_RANDOM = re.compile(r"session_(?:[0-9]{13}|[0-9]{16}|[0-9]{19})_[0-9a-z]{1,7}")
_NUMBERED = re.compile(r"session_([0-9]+)(_.*)?", re.DOTALL)
_KNOWN_DIGITS = (13, 16, 19)
_LONGEST_SHOWN = 80


def _run(context: CheckContext) -> Iterator[Finding]:
    seen: defaultdict[str, list[Event]] = defaultdict(list)
    for event in context.session.events:
        for text in event.entry.ids_in(*_ROLES):
            if _is_malformed(text) and not context.session.fits_own_form(text):
                seen[text].append(event)
    if seen:
        yield _finding(context, seen)


def _is_malformed(text: str) -> bool:
    return classify(text).kind is IdKind.MALFORMED and not _SHORT_RANDOM.fullmatch(text)


def _finding(context: CheckContext, seen: dict[str, list[Event]]) -> Finding:
    listed = "; ".join(f"{_cut(text)}: {_describe(text)}, {len(seen[text])} lines" for text in sorted(seen))
    first = [events[0] for events in seen.values()]
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=first[0].entry.service or "unknown",
        title="an ID of no known form",
        summary=f"{len(seen)} session ID{'s' if len(seen) > 1 else ''} of no known form: {listed}.",
        evidence=to_evidence(sorted(first, key=lambda event: event.time_ns)),
        remedy="let the part that brought it in use the ID that it was given, unchanged",
        sessions=context.session.session_ids,
    )


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
