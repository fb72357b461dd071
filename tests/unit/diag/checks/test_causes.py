"""What explains what."""

from __future__ import annotations

from dataclasses import replace

from diag.checks import rank_causes
from diag.model.findings import Confidence, Evidence, Finding, Scope, Severity

CAUSE = Finding(
    "id-mismatch",
    Scope.SESSION,
    Severity.ERROR,
    Confidence.CONFIRMED,
    "frontend",
    "t",
    "s",
    (Evidence(100, "a", "files", "x"),),
    sessions=("S",),
)
EFFECT = replace(CAUSE, slug="turn-no-reply", evidence=(Evidence(200, "b", "files", "y"),))


def test_an_effect_folds_under_its_cause() -> None:
    """And is no cause of its own."""
    (cause,) = rank_causes([EFFECT, CAUSE])

    assert (cause.slug, cause.effects) == ("id-mismatch", ("turn-no-reply",))


def test_what_began_earlier_or_elsewhere_stays_on_its_own() -> None:
    """Nothing follows from what came after it."""
    earlier = replace(EFFECT, evidence=(Evidence(50, "b", "files", "y"),))
    elsewhere = replace(EFFECT, sessions=("T",))

    assert rank_causes([earlier, CAUSE])[0].effects == ()
    assert rank_causes([elsewhere, CAUSE])[0].effects == ()


def test_a_symptom_alone_is_no_cause() -> None:
    """That no reply came does not say why."""
    assert rank_causes([EFFECT]) == ()


def test_standing_findings_are_never_a_sessions_cause() -> None:
    """They hold for every session, the healthy ones too."""
    assert rank_causes([replace(CAUSE, scope=Scope.STANDING)]) == ()


def test_confirmed_comes_before_suspected_and_what_explains_more_before_what_explains_less() -> None:
    """Whatever the order in which they were found."""
    suspected = replace(
        CAUSE, slug="kafka-topic-missing", confidence=Confidence.SUSPECTED, severity=Severity.CRITICAL
    )
    barren = replace(CAUSE, slug="id-malformed")

    for order in ([suspected, barren, CAUSE, EFFECT], [EFFECT, CAUSE, barren, suspected]):
        assert [cause.slug for cause in rank_causes(order)] == [
            "id-mismatch",
            "id-malformed",
            "kafka-topic-missing",
        ]
