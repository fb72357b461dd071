"""Wanted topics against a broker's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.config import load_wanted_topics
from diag.model.findings import Severity
from diag.model.topics import BrokerFacts, GroupFacts, Member, TopicFacts, TopicState
from diag.topics import build_plan, find_restarts, judge_plan

WANTED = load_wanted_topics()
AUDIO = ("audio-in", "audio-out")
LOGGING = ("stt-results", "llm-requests", "tts-results")


def facts(name: str) -> TopicFacts:
    return TopicFacts(name, {0: (0, 5)} if name in AUDIO else dict.fromkeys(range(3), (0, 0)))


def group(name: str, topics: tuple[str, ...], assigned: tuple[str, ...], *, known: bool = True) -> GroupFacts:
    member = Member("orchestrator-1", frozenset(topics), dict.fromkeys(assigned, (0,)))
    return GroupFacts(name, "Stable" if known else "Dead", (member,) if known else (), known, {})


IN_GROUP, OUT_GROUP = "orchestrator-group-v2", "media-server-group"
LIVE = (group(IN_GROUP, ("audio-in",), ("audio-in",)), group(OUT_GROUP, ("audio-out",), ("audio-out",)))


def broker(*names: str, groups: tuple[GroupFacts, ...] = ()) -> BrokerFacts:
    """A broker whose audio path is read, but for `groups`, which stand for those of the same name."""
    all_groups = {one.name: one for one in (*LIVE, *groups)}
    return BrokerFacts("c", 0, {name: facts(name) for name in names}, all_groups)


def without(*names: str, groups: tuple[GroupFacts, ...] = ()) -> BrokerFacts:
    """A broker with every topic and none of these groups."""
    full = broker(*AUDIO, *LOGGING, groups=groups)
    return replace(full, groups={name: one for name, one in full.groups.items() if name not in names})


def states(plan) -> dict[str, TopicState]:
    return {row.name: row.state for row in plan.rows}


def test_all_topics_there_is_nothing_to_say() -> None:
    """A logging group that nobody runs is a note, not a fault."""
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING))

    assert set(states(plan).values()) == {TopicState.OK}
    assert judge_plan(plan) is None
    assert plan.to_create == ()
    assert plan.rows[2].notes == ("no live consumer in group logging-service-group",)


EMPTY = GroupFacts(IN_GROUP, "Empty", (), True, {"audio-in": {0: 5}})
ELSEWHERE = group(IN_GROUP, ("another-topic",), ("another-topic",))


@pytest.mark.parametrize(
    "actual", [without(IN_GROUP), without(groups=(EMPTY,)), without(groups=(ELSEWHERE,))]
)
def test_an_audio_topic_that_nobody_reads_is_starved(actual: BrokerFacts) -> None:
    """Its reader's group was never there, has no member, or no member that asked for it."""
    plan = build_plan(WANTED, actual)

    assert states(plan)["audio-in"] is TopicState.STARVED
    assert states(plan)["audio-out"] is TopicState.OK
    assert judge_plan(plan) is Severity.ERROR
    assert plan.rows[0].notes == (
        "no live consumer in group orchestrator-group-v2",
        "start or restart orchestrator, which should read it",
    )
    assert plan.rows[0].starved == ()


def test_the_readers_of_audio_out_count_as_well() -> None:
    """Without them no caller hears a reply."""
    plan = build_plan(WANTED, without(OUT_GROUP))

    assert judge_plan(plan) is Severity.ERROR
    assert "media-server" in plan.rows[1].notes[1]


def test_a_group_that_is_balancing_is_not_called_starved() -> None:
    """Until it is stable the broker does not say what its members asked for."""
    balancing = GroupFacts(IN_GROUP, "PreparingRebalance", (Member("o", frozenset(), {}),), True, {})
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(balancing,)))

    assert judge_plan(plan) is None
    assert plan.rows[0].notes == ("group orchestrator-group-v2 is balancing; ask again",)


def test_a_missing_logging_topic_is_a_warning_a_missing_audio_topic_an_error() -> None:
    """The audio path decides."""
    assert judge_plan(build_plan(WANTED, broker(*AUDIO))) is Severity.WARNING
    assert judge_plan(build_plan(WANTED, broker("audio-out", *LOGGING))) is Severity.ERROR


def test_a_consumer_that_joined_too_early_is_starved_until_it_joins_again() -> None:
    """Its topic exists, it asked for it, and has no partition of it."""
    waiting = group("orchestrator-group-v2", ("audio-in",), ())
    missing = build_plan(WANTED, broker("audio-out", *LOGGING, groups=(waiting,)))
    created = build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(waiting,)))
    reading = group("orchestrator-group-v2", ("audio-in",), ("audio-in",))

    assert [one.reader.service for one in find_restarts(missing, ["audio-in"])] == ["orchestrator"]
    assert states(created)["audio-in"] is TopicState.STARVED
    assert judge_plan(created) is Severity.ERROR
    assert judge_plan(build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(reading,)))) is None


def test_a_group_whose_members_are_not_known_is_not_called_starved() -> None:
    """The newer group protocol looks dead to the older call, and is not."""
    unknown = group("orchestrator-group-v2", ("audio-in",), (), known=False)
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(unknown,)))

    assert judge_plan(plan) is None
    assert "not known" in plan.rows[0].notes[0]


def test_another_number_of_partitions_is_drift_and_a_foreign_topic_an_orphan() -> None:
    """Drift warns; orphans never set a code, and nothing is ever deleted."""
    actual = broker(*AUDIO, *LOGGING)
    topics = {
        **actual.topics,
        "audio-in": TopicFacts("audio-in", {0: (0, 1), 1: (0, 1)}),
        "old": facts("old"),
    }
    both = Member("orchestrator-1", frozenset({"audio-in"}), {"audio-in": (0, 1)})
    groups = {**actual.groups, IN_GROUP: replace(LIVE[0], members=(both,))}
    plan = build_plan(WANTED, replace(actual, topics=topics, groups=groups))

    assert states(plan)["audio-in"] is TopicState.DRIFTED
    assert states(plan)["old"] is TopicState.ORPHAN
    assert judge_plan(plan) is Severity.WARNING


def test_lag_is_what_is_committed_against_the_end_and_unknown_without_a_commit() -> None:
    """A starved group has neither commit nor lag."""
    reader = replace(LIVE[0], committed={"audio-in": {0: 3}})
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(reader,)))

    assert plan.rows[0].lags == {"orchestrator-group-v2": 2}
    assert group("g", (), ()).lag(facts("audio-in")) is None


@pytest.mark.parametrize(
    ("has", "told"),
    [
        ({}, ()),
        ({"retention.ms": "3600000"}, ("retention.ms is 3600000, wanted 86400000",)),
        ({"retention.ms": "86400000", "cleanup.policy": "compact, delete"}, ()),
        ({"cleanup.policy": "delete"}, ("cleanup.policy is delete, wanted delete,compact",)),
        ({"preallocate": "true"}, ()),
        ({"preallocate": "false"}, ("preallocate is false, wanted True",)),
    ],
)
def test_a_setting_that_is_otherwise_has_drifted(has: dict[str, str], told: tuple[str, ...]) -> None:
    """A warning with both values; what the broker does not tell has not, and a list has no order."""
    wanted = replace(
        WANTED[2],
        settings={"retention.ms": "86400000", "cleanup.policy": "delete,compact", "preallocate": "True"},
    )
    full = broker(*AUDIO, *LOGGING)
    topics = {**full.topics, wanted.name: replace(full.topics[wanted.name], settings=has)}

    plan = build_plan((wanted,), replace(full, topics=topics))

    assert plan.rows[0].notes[:-1] == told
    assert plan.rows[0].state is (TopicState.DRIFTED if told else TopicState.OK)
    assert judge_plan(plan) is (Severity.WARNING if told else None)


@pytest.mark.parametrize(
    ("wanted", "has", "told"),
    [(3, 1, ("1 replica, wanted 3",)), (3, 3, ()), (None, 1, ()), (3, None, ())],
)
def test_copies_that_are_fewer_or_more_than_wanted_are_drift(
    wanted: int | None, has: int | None, told: tuple[str, ...]
) -> None:
    """Where nobody said how many, the broker's own number is right."""
    full = broker(*AUDIO, *LOGGING)
    topics = {**full.topics, "stt-results": replace(full.topics["stt-results"], replicas=has)}

    plan = build_plan((replace(WANTED[2], replication=wanted),), replace(full, topics=topics))

    assert plan.rows[0].notes[:-1] == told
