"""What must hold for the ledger of any turn, whatever its clocks show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diag.model.ledger import NO_STAGES, Duration, Stage, Stamp, build_parts

CLOCKS = {"here": 0, "there": 40, "nowhere": -300}
"""What is taken off the times of each."""


@st.composite
def stamps(draw: st.DrawFn) -> Stamp:
    clock, raw_ns = draw(st.sampled_from(sorted(CLOCKS))), draw(st.integers(0, 10_000))
    doubt_ns = {"here": 0, "there": 7}.get(clock)
    return Stamp(clock, raw_ns, raw_ns - CLOCKS[clock], doubt_ns, draw(st.sampled_from((0, 1000))))


stages = st.builds(
    Stage, st.sampled_from(("stt", "llm", "tts")), stamps(), st.none() | stamps(), st.just("complete")
)


@given(
    start=stamps(), found=st.lists(stages, max_size=6), handed=st.lists(stamps(), max_size=3), end=stamps()
)
def test_the_parts_of_any_turn_sum_to_its_total(
    start: Stamp, found: list[Stage], handed: list[Stamp], end: Stamp
) -> None:
    """To the nanosecond: attempts side by side, clocks that run ahead, stages that never ended."""
    parts = build_parts(start, found, handed, end)
    accounted = [stage.took.ns for stage in found if stage.took]

    assert sum(part.took.ns for part in parts) == Duration.between(start, end).ns
    assert sorted(part.took.ns for part in parts if part.name not in NO_STAGES) == sorted(accounted)
    assert all(part.took.ns > 0 for part in parts if part.name in ("between", "delivery"))


@given(start=stamps(), found=st.lists(stages, max_size=6), end=stamps(), data=st.data())
def test_the_order_of_the_stages_decides_nothing(
    start: Stamp, found: list[Stage], end: Stamp, data: st.DataObject
) -> None:
    """They are told in the order in which they began."""
    shuffled = data.draw(st.permutations(found))
    one, other = (
        sorted((part.name, part.took.ns) for part in build_parts(start, order, (), end))
        for order in (found, shuffled)
    )

    assert one == other
