"""What a plan makes of its queries: requests, and what the quota makes of those."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diag.model.reading_plan import PlannedQuery, ReadingPlan
from diag.model.window import Window
from diag.sources.cloud_logging.budget import RequestBudget


def plan(quota: int, *queries: PlannedQuery) -> ReadingPlan:
    return ReadingPlan(queries, "p", quota)


@given(st.integers(1, 90), st.integers(0, 400))
def test_the_wait_is_the_one_that_the_budget_makes(quota: int, requests: int) -> None:
    """If the service answers at once: the figure is what the quota alone costs."""
    budget, now_s = RequestBudget(quota), 0.0
    for _ in range(requests):
        now_s += budget.wait_s(now_s)
        budget.spend(now_s)

    assert plan(quota).wait_s(requests) == now_s


def test_what_is_not_known_yet_counts_for_the_most_alone() -> None:
    """The least is one page for each filter that is known."""
    known = PlannedQuery("the session", "", ("a", "b"), Window(0, 1), certain=True, most_requests=80)
    unknown = PlannedQuery("linked IDs", "", (), None, certain=False, most_requests=200)

    both = plan(60, known, unknown)

    assert (both.least_requests, both.most_requests) == (2, 280)
