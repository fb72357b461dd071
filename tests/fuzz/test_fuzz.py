"""Filters, log files and Kafka records keep their promises under random cases; ``make fuzz`` runs many more."""

from __future__ import annotations

import pytest

from tests.fuzz.promises import count_cases

CASES = 1_500


@pytest.mark.parametrize("seed", [1, 2])
def test_no_random_case_breaks_a_promise(seed: int) -> None:
    """Parsed or refused with place and remedy; tree to text to tree; any entry; bounds; the explanation."""
    counts = count_cases(seed, range(CASES))

    assert counts.total() == CASES
    assert (
        min(counts[kind] for kind in ("written", "mutated: parsed", "mutated: refused", "noise: parsed")) > 20
    )


@pytest.mark.parametrize(
    ("about", "cases", "ways"), [("files", 400, ("kept", "no log")), ("records", 2_000, ("found",))]
)
def test_no_random_input_breaks_a_promise(about: str, cases: int, ways: tuple[str, ...]) -> None:
    """Files: no exception, every line kept and counted, bounded time. Records: found by their IDs alone."""
    counts = count_cases(1, range(cases), about)

    assert counts.total() == cases
    assert min(counts[way] for way in ways) > 20
