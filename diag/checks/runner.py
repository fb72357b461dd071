"""Runs the checks: four outcomes, none silent, and one crash never costs the report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from diag.checks.base import Check, CheckContext, Needs, NotChecked
from diag.model.findings import Confidence, Finding, Outcome, Result


def run_checks(
    checks: Iterable[Check], context: CheckContext
) -> tuple[tuple[Finding, ...], tuple[Outcome, ...]]:
    """The findings, worst first, and an outcome for each check, in the order of the checks."""
    findings: list[Finding] = []
    outcomes: tuple[Outcome, ...] = ()
    for check in checks:
        found, outcome = _run_check(check, replace(context, outcomes=outcomes))
        findings.extend(found)
        outcomes = (*outcomes, outcome)
    findings.sort(key=lambda f: (-f.severity, f.confidence, f.first_ns or 0, f.slug))
    return tuple(findings), outcomes


def _run_check(check: Check, context: CheckContext) -> tuple[list[Finding], Outcome]:
    if not context.has(check.requires):
        return [], Outcome(
            check.slug, Result.SKIPPED, f"needs {_describe(check.requires)}, which was not read"
        )
    try:
        found = [_cap(finding, check, context) for finding in check.run(context)]
    except NotChecked as reason:
        return [], Outcome(check.slug, Result.SKIPPED, str(reason))
    except Exception as error:  # noqa: BLE001  a fault in one rule is reported, and the others go on
        return [], Outcome(check.slug, Result.CRASHED, f"{type(error).__name__}: {error}")
    missing = context.partial & frozenset().union(*check.requires)
    if not found and missing:
        # what is not there was perhaps not read
        return [], Outcome(check.slug, Result.SKIPPED, f"{' and '.join(sorted(missing))} came only in part")
    return found, Outcome(check.slug, Result.FOUND if found else Result.CLEAR)


def _cap(finding: Finding, check: Check, context: CheckContext) -> Finding:
    if context.has(check.confirms):
        return finding
    return replace(finding, confidence=Confidence.SUSPECTED)


def _describe(needs: Needs) -> str:
    return " or ".join(" and ".join(sorted(kinds)) for kinds in needs)
