"""Which finding is the cause and which follow from it.

The table says what folds under what. A finding folds only if it begins no earlier than its cause and
touches the same session, pod or topic; standing findings are named as a reason, never as a cause.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from diag.model.findings import Cause, Confidence, Finding, Scope, Severity

_SILENCE = frozenset({"turn-no-reply", "pipeline-false-success"})

FOLDS: Mapping[str, frozenset[str]] = {
    "kafka-topic-missing": frozenset({"session-one-sided", "kafka-session-consumer-died", *_SILENCE}),
    "kafka-stale-replay": frozenset({"session-one-sided"}),
    "id-mismatch": frozenset({"session-one-sided", *_SILENCE}),
    "id-undefined": frozenset({"id-malformed", "session-one-sided", *_SILENCE}),
    "turn-stale-replay": frozenset({"pipeline-false-success", "turn-repeat"}),
    "turn-no-reply": frozenset({"pipeline-false-success"}),
}
"""Cause -> the effects that it explains."""

SYMPTOMS = frozenset({"turn-no-reply", "source-not-covered"})
"""What never explains anything: it says that something is wrong, not why."""


def rank_causes(findings: Iterable[Finding], ids: Collection[str] = ()) -> tuple[Cause, ...]:
    """The causes of one session, likeliest first; findings that follow from another are its effects.

    Args:
        findings: of all checks.
        ids: the session's own. What rests on an ID that may be another's comes behind what its own lines say.
    """
    own = [finding for finding in findings if finding.scope is Scope.SESSION]
    folded = {id(effect) for cause in own for effect in own if _folds(effect, cause)}
    roots = [f for f in own if id(f) not in folded and f.slug not in SYMPTOMS and f.severity > Severity.INFO]
    roots.sort(key=lambda finding: _rank(finding, own, ids))
    return tuple(_to_cause(root, [f for f in own if _folds(f, root)]) for root in roots)


def _folds(effect: Finding, cause: Finding) -> bool:
    if effect.slug not in FOLDS.get(cause.slug, ()):
        return False
    same = set(effect.sessions) & set(cause.sessions) or set(effect.subjects) & set(cause.subjects)
    # A finding without a time of its own (a topic that is absent now) began before anything seen.
    began, caused = effect.first_ns, cause.first_ns
    return bool(same) and (caused is None or began is None or began >= caused)


def _rank(
    finding: Finding, own: list[Finding], ids: Collection[str]
) -> tuple[bool, bool, int, int, int, str]:
    explains = sum(_folds(other, finding) for other in own)
    return (
        finding.confidence is not Confidence.CONFIRMED,
        bool(ids) and not set(finding.sessions) <= set(ids),
        -finding.severity,
        -explains,
        finding.first_ns or 0,
        finding.slug,
    )


def _to_cause(finding: Finding, effects: list[Finding]) -> Cause:
    return Cause(
        slug=finding.slug,
        component=finding.component,
        confidence=finding.confidence,
        summary=finding.summary,
        supporting=finding.evidence,
        contradicting=finding.contradicting,
        effects=tuple(effect.slug for effect in effects),
    )
