"""What is believed of a container by its probes."""

from __future__ import annotations

from pipeline.local.kubelet.probes import LIVENESS, READINESS, STARTUP, Verdict


def note(verdict: Verdict, results: str) -> list[bool]:
    """What is believed after each result, ``+`` or ``-``."""
    beliefs = []
    for result in results:
        verdict.note(succeeded=result == "+")
        beliefs.append(verdict.holds)
    return beliefs


def test_readiness_turns_at_its_thresholds() -> None:
    """So many of the same in a row; one of the other kind begins anew."""
    verdict = Verdict(READINESS, success_threshold=2, failure_threshold=3)

    assert not verdict.holds
    assert note(verdict, "+-++") == [False, False, False, True]
    assert note(verdict, "--+---") == [True, True, True, True, True, False]


def test_a_container_lives_until_the_failures_reach_the_threshold() -> None:
    """It is believed alive before the first result."""
    verdict = Verdict(LIVENESS, failure_threshold=2)

    assert verdict.holds
    assert note(verdict, "-+-") == [True, True, True]
    assert not verdict.has_failed
    assert note(verdict, "-") == [False]
    assert verdict.has_failed


def test_a_container_that_has_not_started_yet_is_not_one_that_failed_to() -> None:
    """Killed only at the threshold."""
    verdict = Verdict(STARTUP, failure_threshold=2)

    assert note(verdict, "-") == [False]
    assert not verdict.has_failed
    assert note(verdict, "+") == [True]
