"""Wanted topics against a broker's."""

from __future__ import annotations

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


def broker(*names: str, groups: tuple[GroupFacts, ...] = ()) -> BrokerFacts:
    return BrokerFacts("c", 0, {name: facts(name) for name in names}, {one.name: one for one in groups})


def states(plan) -> dict[str, TopicState]:
    return {row.name: row.state for row in plan.rows}


def test_all_topics_there_is_nothing_to_say() -> None:
    """Groups that nobody runs are a note, not a fault."""
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING))

    assert set(states(plan).values()) == {TopicState.OK}
    assert judge_plan(plan) is None
    assert plan.to_create == ()


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
    plan = build_plan(WANTED, BrokerFacts("c", 0, topics, {}))

    assert states(plan)["audio-in"] is TopicState.DRIFTED
    assert states(plan)["old"] is TopicState.ORPHAN
    assert judge_plan(plan) is Severity.WARNING


def test_lag_is_what_is_committed_against_the_end_and_unknown_without_a_commit() -> None:
    """A starved group has neither commit nor lag."""
    reader = GroupFacts("orchestrator-group-v2", "Stable", (), True, {"audio-in": {0: 3}})
    plan = build_plan(WANTED, broker(*AUDIO, *LOGGING, groups=(reader,)))

    assert plan.rows[0].lags == {"orchestrator-group-v2": 2}
    assert group("g", (), ()).lag(facts("audio-in")) is None
