"""A source that was asked for did not give everything.

What it tells
    Which source gave less than it was asked for, what came, why, and which checks went without it.

Why it matters
    Nothing can be said to be absent where nobody looked.

How it decides
    By the coverage record alone: a source that was asked for and is partial or failed.

What can fool it
    Nothing: it reads only what diag did itself. A source that nobody asked for is none.

What to do
    What the source's own note says: a permission, an address, a smaller window.
"""

from __future__ import annotations

from collections.abc import Iterator

from diag.checks.base import Check, CheckContext
from diag.model.coverage import SourceCoverage, State
from diag.model.findings import Confidence, Evidence, Finding, Result, Scope, Severity


def _run(context: CheckContext) -> Iterator[Finding]:
    skipped = [outcome.slug for outcome in context.outcomes if outcome.result is Result.SKIPPED]
    for source in context.coverage.sources:
        if source.state in (State.PARTIAL, State.FAILED):
            yield _finding(source, skipped)


def _finding(source: SourceCoverage, skipped: list[str]) -> Finding:
    why = "; ".join(source.notes) or "no reason was given"
    without = f" Not checked in this run: {', '.join(skipped)}." if skipped else ""
    return Finding(
        slug=CHECK.slug,
        scope=CHECK.scope,
        severity=CHECK.severity,
        confidence=Confidence.CONFIRMED,
        component=source.source,
        title=f"{source.source} was read {'in part' if source.state is State.PARTIAL else 'not at all'}",
        summary=f"Asked: {source.asked}. Got: {source.got or 'nothing'}. Why: {why}.{without}",
        evidence=(Evidence(0, f"coverage/{source.source}", source.source, why),),
        remedy=source.notes[0].rpartition("; ")[2] if source.notes else "",
    )


CHECK = Check(
    slug="source-not-covered",
    title="a source was not read whole",
    severity=Severity.INFO,
    scope=Scope.SESSION,
    requires=(),
    confirms=(),
    run=_run,
)
