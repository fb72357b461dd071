"""Pods that each are a group of their own count as the one reader that they are."""

from __future__ import annotations

from diag.model.topics import BrokerFacts, GroupFacts, Member, TopicFacts, TopicState
from diag.topics import build_plan, join_pod_groups
from tests.unit.diag.topics.test_plan import WANTED

ONE, OTHER = "media-server-4d6d5c9699-lg8r4", "media-server-4d6d5c9699-qq42c"


def group(name: str, committed: int, *, live: bool = True) -> GroupFacts:
    member = Member(name, frozenset({"audio-out"}), {"audio-out": (0,)})
    state = "Stable" if live else "Empty"
    return GroupFacts(name, state, (member,) if live else (), True, {"audio-out": {0: committed}})


def broker(*groups: GroupFacts) -> BrokerFacts:
    topic = TopicFacts("audio-out", {0: (0, 9)})
    return BrokerFacts("c", 0, {"audio-out": topic}, {one.name: one for one in groups})


def test_the_topic_of_such_pods_is_read() -> None:
    """Under the name that the wanted list has, as far as the one that is furthest behind."""
    joined = join_pod_groups(
        broker(group(f"media-server-group.{ONE}", 9), group(f"media-server-group.{OTHER}", 7))
    )
    row = next(row for row in build_plan(WANTED, joined).rows if row.name == "audio-out")

    assert list(joined.groups) == ["media-server-group"]
    assert (row.state, row.lags) == (TopicState.OK, {"media-server-group": 2})


def test_a_pod_that_is_gone_is_behind_nobody() -> None:
    """Its group outlives it on the broker for days."""
    joined = join_pod_groups(
        broker(group(f"media-server-group.{ONE}", 9), group(f"media-server-group.{OTHER}", 2, live=False))
    )

    assert joined.groups["media-server-group"].committed == {"audio-out": {0: 9}}
    assert len(joined.groups["media-server-group"].members) == 1


def test_where_all_pods_are_gone_nobody_reads() -> None:
    """They are no live consumer, however many."""
    joined = join_pod_groups(broker(group(f"media-server-group.{ONE}", 9, live=False)))
    row = next(row for row in build_plan(WANTED, joined).rows if row.name == "audio-out")

    assert row.state is TopicState.STARVED


def test_other_groups_stay_what_they_are() -> None:
    """A name that only begins alike is another reader."""
    names = {"media-server-group", "media-server-group-v2", "media-server-group.canary", "x.y"}

    assert set(join_pod_groups(broker(*(group(name, 1) for name in names))).groups) == names
