"""What must hold for every turn: its parts sum to its total, whatever clocks, order and losses do to its lines."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from diag.model.instants import NS_PER_MS
from diag.model.turns import Turn
from tests.cases import Case, diagnose, read_case
from tests.unit.diag.session.test_ledger import FIXED, HEAD, STREAMED, shifted

WHOLE = read_case(HEAD + FIXED)
TEXTS = (FIXED, STREAMED)


def check(turn: Turn) -> None:
    """Its two sums."""
    if turn.ledger is None:
        return
    assert sum(part.took.ns for part in turn.ledger.parts) == turn.ledger.total.ns
    stages = sum((stage.took.ns for stage in turn.stages if stage.took), 0)
    assert turn.unaccounted_ms is not None
    assert abs(stages / NS_PER_MS + turn.unaccounted_ms - turn.ledger.total.ms) < 1e-6
    for took in (part.took for part in turn.ledger.parts if part.took.ns < 0):
        # what is negative says that it may be otherwise
        assert took.least_ns is None or took.most_ns is None or took.least_ns < took.most_ns


@settings(max_examples=60, deadline=None)
@given(
    text=st.sampled_from(TEXTS),
    ahead_ms=st.dictionaries(st.sampled_from(["media-server", "orchestrator"]), st.integers(-9000, 9000)),
    data=st.data(),
)
def test_the_parts_sum_to_the_total(text: str, ahead_ms: dict[str, int], data: st.DataObject) -> None:
    """To the nanosecond, with any lines lost and any clock off."""
    case = read_case(HEAD + text)
    for service, ms in ahead_ms.items():
        case = shifted(case, service, ms * NS_PER_MS)
    kept = data.draw(st.lists(st.sampled_from(case.entries), unique_by=id, min_size=3))
    for turn in diagnose_any(replace(case, entries=tuple(kept))):
        check(turn)


def diagnose_any(case: Case) -> tuple[Turn, ...]:
    """The turns; none where no line of the session is left."""
    sid = case.asked
    return diagnose(case).session.turns if any(sid in str(entry) for entry in case.entries) else ()


@settings(max_examples=30, deadline=None)
@given(ahead_ms=st.integers(-60_000, 60_000))
def test_a_shifted_clock_changes_nothing_beyond_what_is_stated(ahead_ms: int) -> None:
    """The truth lies inside each interval, and what is of one clock does not move at all."""
    (true,) = diagnose(WHOLE).session.turns
    (turn,) = diagnose(shifted(WHOLE, "media-server", ahead_ms * NS_PER_MS)).session.turns
    assert true.ledger is not None
    assert turn.ledger is not None
    told, meant = turn.ledger.total, true.ledger.total

    assert told.least_ns is not None
    assert told.most_ns is not None
    assert told.least_ns <= meant.ns <= told.most_ns
    assert [stage.ms for stage in turn.stages] == [stage.ms for stage in true.stages]
    assert turn.outcome is true.outcome


@settings(max_examples=30, deadline=None)
@given(data=st.data(), ahead_ms=st.integers(-4000, 4000))
def test_the_order_of_reading_decides_no_turn(data: st.DataObject, ahead_ms: int) -> None:
    """The same ledger, to the nanosecond."""
    case = shifted(WHOLE, "media-server", ahead_ms * NS_PER_MS)
    mixed = replace(case, entries=tuple(data.draw(st.permutations(case.entries))))
    one, two = diagnose(case).session.turns[0], diagnose(mixed).session.turns[0]

    assert one.ledger == two.ledger
    assert (one.start, one.end, one.outcome) == (two.start, two.end, two.outcome)
