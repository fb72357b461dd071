"""The query language keeps its promises under random cases; ``make fuzz`` runs a million of them."""

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
