"""Every check on the case files in the folder of its slug: when it fires, when it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from diag.checks import CHECKS
from diag.model.findings import Result
from tests.cases import diagnose, read_case_file

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.case"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_check_says_of_a_case_what_the_case_expects(path: Path) -> None:
    """Outcome, severity, confidence, scope, words, status, verdict and cause are as the case's head says."""
    case, slug = read_case_file(path), path.parent.name
    diagnosis = diagnose(case)
    outcome = next(one for one in diagnosis.outcomes if one.slug == slug)
    expected = case.head["expects"].split()

    assert outcome.result.value == expected[0], outcome.reason or [f.summary for f in diagnosis.findings]
    said = [outcome.reason]
    if outcome.result is Result.FOUND:
        finding = next(f for f in diagnosis.findings if f.slug == slug)
        shown = [finding.severity.label, finding.confidence.value, finding.scope.value]
        assert shown[: len(expected) - 1] == expected[1:]
        assert all(e.ref and e.text for e in finding.evidence)
        said = [f.summary for f in diagnosis.findings if f.slug == slug]
    assert any(case.head.get("says", "") in text for text in said), said
    assert case.head.get("verdict", "") in diagnosis.verdict.summary
    if "status" in case.head:
        assert diagnosis.verdict.status.value == case.head["status"]
    if "cause" in case.head:
        assert diagnosis.verdict.cause is not None
        assert diagnosis.verdict.cause.slug == case.head["cause"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.slug)
def test_every_check_has_cases_in_which_it_must_keep_quiet(check) -> None:
    """A check without a quiet case could fire on everything."""
    names = {path.stem.partition("-")[0] for path in (HERE / check.slug).glob("*.case")}

    assert "quiet" in names
    if check.slug != "source-not-covered":  # it judges diag's own reading: see test_source_not_covered
        assert "fires" in names
