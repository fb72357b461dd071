"""How checks are run: four outcomes, none silent."""

from __future__ import annotations

from dataclasses import replace

from diag.checks import CHECKS, run_checks
from diag.checks.base import BROKER, LOGS, Check, CheckContext, NotChecked, all_of, any_of
from diag.model.coverage import Coverage, SourceCoverage, State
from diag.model.findings import Confidence, Evidence, Finding, Result, Scope, Severity
from tests.cases import diagnose, read_case

SESSION = diagnose(
    read_case("# asks: $S\n00:00.001 media-server info Received remote track :: sessionID=$S")
).session
_NEEDS_LOGS = any_of(LOGS)
CONTEXT = CheckContext(SESSION, Coverage(), frozenset({LOGS}))
FINDING = Finding(
    "a", Scope.SESSION, Severity.ERROR, Confidence.CONFIRMED, "x", "t", "s", (Evidence(1, "r", "files", "e"),)
)


def check(run, *, requires=_NEEDS_LOGS, confirms=()) -> Check:
    return Check("a", "a", Severity.ERROR, Scope.SESSION, requires, confirms, run)


def test_a_check_that_finds_and_one_that_does_not() -> None:
    """Found and clear."""
    findings, outcomes = run_checks([check(lambda _: iter([FINDING])), check(lambda _: iter(()))], CONTEXT)

    assert findings == (FINDING,)
    assert [outcome.result for outcome in outcomes] == [Result.FOUND, Result.CLEAR]


def test_a_check_without_its_evidence_is_skipped_with_the_reason() -> None:
    """Its rule is not even called."""
    _, (outcome,) = run_checks([check(lambda _: 1 / 0, requires=all_of(LOGS, BROKER))], CONTEXT)

    assert outcome.result is Result.SKIPPED
    assert outcome.reason == "needs broker and logs, which was not read"


def test_a_rule_can_say_that_it_can_not_decide() -> None:
    """No claim of absence without coverage."""

    def undecided(_context):
        raise NotChecked("nobody listened")
        yield

    _, (outcome,) = run_checks([check(undecided)], CONTEXT)

    assert (outcome.result, outcome.reason) == (Result.SKIPPED, "nobody listened")


def test_one_crash_never_costs_the_others() -> None:
    """It is an outcome, with the error's own words."""

    def crash(_context):
        raise ZeroDivisionError("oh")

    findings, outcomes = run_checks([check(crash), check(lambda _: iter([FINDING]))], CONTEXT)

    assert [outcome.result for outcome in outcomes] == [Result.CRASHED, Result.FOUND]
    assert outcomes[0].reason == "ZeroDivisionError: oh"
    assert len(findings) == 1


def test_without_what_confirms_it_a_finding_is_suspected() -> None:
    """The runner caps, the rule need not think of it."""
    (finding,), _ = run_checks([check(lambda _: iter([FINDING]), confirms=any_of(BROKER))], CONTEXT)

    assert finding.confidence is Confidence.SUSPECTED


def test_a_source_that_was_asked_and_gave_less_is_named_with_the_checks_that_went_without() -> None:
    """A source nobody asked for is none."""
    coverage = Coverage(
        (
            SourceCoverage(
                "kafka", State.FAILED, "127.0.0.1:9", notes=("Kafka does not answer; check --kafka",)
            ),
            SourceCoverage("kubernetes", State.NOT_ASKED),
        )
    )
    blind = replace(CONTEXT, coverage=coverage, evidence=frozenset())
    findings, _ = run_checks(CHECKS, blind)

    (finding,) = [one for one in findings if one.slug == "source-not-covered"]
    assert finding.severity is Severity.INFO
    assert "kafka" in finding.title
    assert "turn-no-reply" in finding.summary
    assert finding.remedy == "check --kafka"


def test_slugs_are_unique_and_every_check_has_its_page() -> None:
    """The page is the module's docstring, with its five headings."""
    slugs = [one.slug for one in CHECKS]
    assert len(slugs) == len(set(slugs))
    for one in CHECKS:
        page = __import__(one.run.__module__, fromlist=["_run"]).__doc__
        headings = ("What it tells", "Why it matters", "How it decides", "What can fool it", "What to do")
        assert all(heading in page for heading in headings), one.slug
