"""What must hold for every flow, whatever a broker holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diag.model.flow import TopicFlow
from diag.model.records import KafkaRecord
from diag.model.topics import BrokerFacts, GroupFacts, Path, Reader, TopicFacts, WantedTopic
from diag.session.flow.build import build_flows
from diag.session.flow.passage import FlowSources

PARTITIONS = (0, 1, 2)
WANTED = (WantedTopic("t", Path.AUDIO, 3, readers=(Reader("owner", "orchestrator"),)),)


@st.composite
def records(draw: st.DrawFn) -> tuple[KafkaRecord, ...]:
    """Some of one topic: each offset of a partition once, times and keys as they come."""
    places = draw(st.sets(st.tuples(st.sampled_from(PARTITIONS), st.integers(0, 9)), max_size=12))
    return tuple(
        KafkaRecord(
            "t",
            partition,
            offset,
            draw(st.integers(0, 5)),
            draw(st.sampled_from(("a", "b", None))),
            draw(st.sampled_from(((), (("timestamp", "1753615601"),), (("timestamp", "1753615602"),)))),
        )
        for partition, offset in sorted(places)
    )


commits = st.dictionaries(st.sampled_from(PARTITIONS), st.integers(0, 12))


@st.composite
def brokers(draw: st.DrawFn) -> BrokerFacts | None:
    """Ends anywhere, commits below, at and beyond them, groups that keep theirs to themselves."""
    if draw(st.booleans()) and draw(st.booleans()):
        return None
    ends = {p: (0, draw(st.integers(0, 10))) for p in PARTITIONS}
    groups = {
        name: GroupFacts(name, "Empty", (), True, {"t": draw(commits)}, draw(st.booleans()))
        for name in draw(st.sets(st.sampled_from(("owner", "other", "third"))))
    }
    return BrokerFacts("c", 10, {"t": TopicFacts("t", ends)}, groups)


def flow_of(own: tuple[KafkaRecord, ...], broker: BrokerFacts | None) -> TopicFlow:
    (flow,) = build_flows(FlowSources((), records=own, wanted=WANTED, broker=broker))
    return flow


@given(own=records(), broker=brokers(), data=st.data())
def test_records_in_any_order_give_the_same_flow(
    own: tuple[KafkaRecord, ...], broker: BrokerFacts | None, data: st.DataObject
) -> None:
    """Partitions are read side by side, so they come as they come."""
    shuffled = tuple(data.draw(st.permutations(own)))

    assert flow_of(shuffled, broker) == flow_of(own, broker)


@given(own=records(), broker=brokers())
def test_no_more_is_consumed_than_is_stored(own: tuple[KafkaRecord, ...], broker: BrokerFacts | None) -> None:
    """Each record is consumed or lags, if either is known, and came at most once to somebody else."""
    flow = flow_of(own, broker)

    assert flow.stored == len(own)
    assert (flow.consumed is None) == (flow.lagging is None)
    assert (flow.consumed or 0) + (flow.lagging or 0) <= flow.stored
    assert (flow.consumed_by_other or 0) <= flow.stored
    assert all(0 <= (group.consumed or 0) <= flow.stored for group in flow.groups)
    assert {p for group in flow.groups for p in (one.partition for one in group.partitions)} <= set(
        flow.partitions
    )


@given(own=records())
def test_fewer_records_are_out_of_order_than_there_are(own: tuple[KafkaRecord, ...]) -> None:
    """The first of a key never is; within a partition none is counted over the partitions."""
    order = flow_of(own, None).order

    assert (order.inversions or 0) <= max(0, len(own) - 1)
    assert (order.across or 0) <= max(0, len(own) - 1)
    assert all(one.record.key == one.behind.key for one in order.examples)
    assert bool(order.across) <= bool(order.spread)
