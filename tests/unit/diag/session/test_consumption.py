"""How far groups are with a session's records, and what that proves."""

from __future__ import annotations

from collections.abc import Mapping

from diag.model.flow import GroupFlow
from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.model.topics import BrokerFacts, GroupFacts, Reader, TopicFacts
from diag.session.flow.consumption import count_by_other, count_consumed, follow_groups, keep_judged

OWNER = Reader("owner", "orchestrator")
FACTS = TopicFacts("t", {0: (0, 4), 1: (0, 2)})
RECORDS = tuple(KafkaRecord("t", p, o, o * NS_PER_S, "s") for p, o in ((0, 0), (0, 1), (0, 3), (1, 1)))


def follow(
    commits: Mapping[str, Mapping[int, int]], *readers: Reader, records: tuple[KafkaRecord, ...] = RECORDS
) -> tuple[GroupFlow, ...]:
    groups = {name: GroupFacts(name, "Empty", (), True, {"t": own}) for name, own in commits.items()}
    return follow_groups("t", records, readers or (OWNER,), BrokerFacts("c", 0, {"t": FACTS}, groups))


def test_a_group_has_consumed_what_lies_below_its_offset_and_lags_behind_the_rest() -> None:
    """Partition by partition; the lag counts anybody's records, lagging only the session's."""
    (owner,) = follow({"owner": {0: 1, 1: 2}})

    assert [(p.partition, p.records, p.consumed, p.lagging, p.lag) for p in owner.partitions] == [
        (0, 3, 1, 2, 3),
        (1, 1, 1, 0, 0),
    ]
    assert (owner.consumed, owner.lagging, owner.lag) == (2, 2, 3)
    assert count_consumed(RECORDS, (owner,)) == 2


def test_a_record_is_consumed_when_all_of_its_readers_have_come_past_it() -> None:
    """Two services that each need it are two groups."""
    second = Reader("second", "archive")
    groups = follow({"owner": {0: 2, 1: 2}, "second": {0: 4, 1: 0}}, OWNER, second)

    assert [group.service for group in groups] == ["orchestrator", "archive"]
    assert count_consumed(RECORDS, groups) == 2


def test_without_a_commit_nothing_is_known_of_a_partition() -> None:
    """A group that never committed may have read all of it or nothing."""
    groups = follow({"owner": {0: 4}})

    assert count_consumed(RECORDS, groups) is None
    assert count_consumed(RECORDS[:3], follow({"owner": {0: 4}}, records=RECORDS[:3])) == 3
    assert count_consumed(RECORDS, ()) is None


def test_a_commit_beyond_the_end_proves_nothing() -> None:
    """It was made in the topic's earlier life: the records of today lie below it and were never read."""
    (owner,) = follow({"owner": {0: 900, 1: 2}})

    assert (owner.consumed, owner.lagging, owner.lag) == (None, None, None)
    assert count_consumed(RECORDS, (owner,)) is None


def test_a_foreign_group_counts_as_another_only_where_it_came_past_the_sessions_records() -> None:
    """A commit on another topic, on another partition or below the records is nobody's reading of them."""
    one = RECORDS[3:]
    groups = follow({"owner": {1: 0}, "foreign": {1: 2}, "behind": {1: 1}, "elsewhere": {0: 4}}, records=one)

    assert [(group.group, group.owner) for group in groups] == [
        ("owner", True),
        ("behind", False),
        ("foreign", False),
    ]
    assert count_by_other(one, groups, None) == 1
    assert count_by_other(one, [g for g in groups if g.group != "foreign"], None) == 0


def test_what_was_written_after_the_sessions_reader_ended_was_taken_by_another() -> None:
    """The owners' group came past it all the same; a few seconds of two clocks' difference prove nothing."""
    late = (KafkaRecord("t", 0, 0, 3 * NS_PER_S, "s"), KafkaRecord("t", 0, 1, 20 * NS_PER_S, "s"))
    groups = follow({"owner": {0: 2}}, records=late)

    assert count_by_other(late, groups, 2 * NS_PER_S) == 1
    assert count_by_other(late, groups, None) == 0
    assert count_by_other(late, follow({"owner": {0: 1}}, records=late), 2 * NS_PER_S) == 0


def test_a_record_that_came_after_the_groups_were_looked_at_is_not_judged() -> None:
    """Else a session that still runs would always lag."""
    assert keep_judged((*RECORDS, KafkaRecord("t", 0, 4, 9, "s")), FACTS) == RECORDS
    assert keep_judged(RECORDS, None) == RECORDS
