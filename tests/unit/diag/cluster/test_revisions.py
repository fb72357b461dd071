"""What ran then, and not what runs now."""

from __future__ import annotations

from diag.cluster.revisions import find_in_force
from diag.model.cluster import ClusterEvent, Pod, Revision, Workload
from diag.model.instants import NS_PER_S
from diag.model.window import Window

HOUR = 3600 * NS_PER_S


def workload(*revisions: Revision, created_ns: int | None = HOUR) -> Workload:
    return Workload("deployment", "voice", "orchestrator", 1, created_ns=created_ns, revisions=revisions)


def revision(number: int, hours: int | None, *, name: str = "", returned: bool = False) -> Revision:
    created_ns = None if hours is None else hours * HOUR
    return Revision(
        name or f"orchestrator-{number}",
        number,
        created_ns,
        (f"voice-agent/orchestrator:{number}",),
        returned=returned,
    )


def scaled_up(name: str, hours: int, *, start: str = " from 0", ref: str = "event/voice/x") -> ClusterEvent:
    text = f"Scaled up replica set {name}{start} to 1"
    at_ns = hours * HOUR
    return ClusterEvent(
        False, "ScalingReplicaSet", "deployment", "voice", "orchestrator", text, 1, at_ns, at_ns, ref=ref
    )


def during(first: float, last: float) -> Window:
    return Window(int(first * HOUR), int(last * HOUR))


THREE = workload(revision(1, 1), revision(2, 5), revision(3, 9))


def names(found: tuple[object, ...]) -> list[str]:
    return [one.name for one in found]  # type: ignore[attr-defined]


def test_the_revision_of_the_window_is_the_last_that_was_made_before_it() -> None:
    """Though a newer one runs now."""
    (found,) = find_in_force(THREE, during(6, 7), (), ())

    assert (found.name, found.since_ns, found.until_ns, found.certain) == (
        "orchestrator-2",
        5 * HOUR,
        9 * HOUR,
        True,
    )
    assert found.images == ("voice-agent/orchestrator:2",)
    assert found.evidence == ("replicaset/voice/orchestrator-2:created",)


def test_a_rollout_inside_the_window_shows_both() -> None:
    """In their order."""
    assert names(find_in_force(THREE, during(8, 10), (), ())) == ["orchestrator-2", "orchestrator-3"]


def test_without_a_window_it_is_the_one_of_now() -> None:
    """And it has no end."""
    (found,) = find_in_force(THREE, None, (), ())

    assert (found.name, found.until_ns) == ("orchestrator-3", None)


def test_a_return_to_an_old_revision_is_known_by_the_event_that_it_was_scaled_up() -> None:
    """`kubectl rollout undo` makes no replica set: the old one gets a new number."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))

    before = find_in_force(undone, during(6, 7), [scaled_up("orchestrator-1", 8)], ())
    after = find_in_force(undone, during(8.5, 9), [scaled_up("orchestrator-1", 8)], ())

    assert (names(before), names(after)) == (["orchestrator-2"], ["orchestrator-1"])
    assert before[0].certain
    assert after[0].evidence == ("event/voice/x",)


def test_a_return_that_left_no_event_is_known_by_the_pods_that_it_made() -> None:
    """The first pod of a revision that was returned to came after the return."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))
    pod = Pod("voice", "orchestrator-1-x", "Running", revision="orchestrator-1", created_ns=8 * HOUR)

    assert names(find_in_force(undone, during(8.5, 9), (), [pod])) == ["orchestrator-1"]
    assert names(find_in_force(undone, during(6, 7), (), [pod])) == ["orchestrator-2"]


def test_a_return_that_left_no_trace_makes_both_uncertain() -> None:
    """Somewhere between the two it happened; nobody may claim more."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))

    found = find_in_force(undone, during(6, 7), (), ())

    assert names(found) == ["orchestrator-2", "orchestrator-1"]
    assert not any(one.certain for one in found)


def scaled_down(name: str, hours: int, end: int = 0) -> ClusterEvent:
    text = f"Scaled down replica set {name} from {end + 1} to {end}"
    return ClusterEvent(
        False,
        "ScalingReplicaSet",
        "deployment",
        "voice",
        "orchestrator",
        text,
        1,
        hours * HOUR,
        hours * HOUR,
        ref="event/voice/down",
    )


def test_a_rollout_that_never_came_up_is_known_to_be_undone_by_the_end_of_its_pods() -> None:
    """The old pods ran all the time, so nothing was scaled up."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))
    old = Pod("voice", "orchestrator-1-x", "Running", revision="orchestrator-1", created_ns=HOUR)
    events = [scaled_down("orchestrator-2", 6, 1), scaled_down("orchestrator-2", 8)]

    during_it = find_in_force(undone, during(6, 7), events, [old])
    after = find_in_force(undone, during(8.5, 9), events, [old])

    assert (names(during_it), names(after)) == (["orchestrator-2"], ["orchestrator-1"])
    assert all(one.certain for one in (*during_it, *after))
    assert after[0].evidence == ("event/voice/down",)


def test_a_pod_that_was_replaced_after_the_return_does_not_put_the_return_off() -> None:
    """All old pods are gone since: what is left of the old revision is younger than its return."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))
    young = Pod("voice", "orchestrator-1-y", "Running", revision="orchestrator-1", created_ns=12 * HOUR)

    (after,) = find_in_force(undone, during(9, 10), [scaled_down("orchestrator-2", 8)], [young])

    assert (after.name, after.since_ns, after.certain) == ("orchestrator-1", 8 * HOUR, True)


def test_what_is_scaled_to_nothing_and_up_again_after_a_return_came_back_only_then() -> None:
    """Nothing ran in between."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))
    events = [scaled_down("orchestrator-2", 8), scaled_up("orchestrator-1", 12)]

    (between,) = find_in_force(undone, during(9, 10), events, ())

    assert between.name == "orchestrator-2"


def test_a_window_before_the_rollout_that_was_undone_has_the_old_revision_alone() -> None:
    """Whenever it came back, it was after that."""
    undone = workload(revision(2, 5), revision(3, 1, name="orchestrator-1", returned=True))

    (found,) = find_in_force(undone, during(2, 3), (), ())

    assert (found.name, found.since_ns, found.certain) == ("orchestrator-1", HOUR, True)


def test_scaling_within_a_revision_is_no_rollout() -> None:
    """Neither from one pod to three, nor down and up again."""
    events = [scaled_up("orchestrator-3", 10, start=" from 1"), scaled_up("orchestrator-3", 11)]

    (found,) = find_in_force(THREE, during(12, 13), events, ())

    assert found.since_ns == 9 * HOUR


def test_a_revision_that_is_not_kept_any_more_is_named_and_has_no_image() -> None:
    """An event of the log service names a replica set that the cluster has forgotten."""
    kept = workload(revision(9, 9))

    (found,) = find_in_force(kept, during(6, 7), [scaled_up("orchestrator-8", 5)], ())

    assert (found.name, found.revision, found.images) == ("orchestrator-8", None, ())


def test_before_all_that_is_kept_nothing_is_claimed() -> None:
    """The deployment was there, its replica set of then is gone."""
    (found,) = find_in_force(workload(revision(9, 9)), during(6, 7), (), ())

    assert (found.name, found.revision, found.since_ns, found.until_ns) == ("", None, None, 9 * HOUR)
    assert not found.certain


def test_before_it_was_made_nothing_was_in_force() -> None:
    """A deployment of today has no revision of yesterday."""
    assert find_in_force(THREE, during(0.2, 0.5), (), ()) == ()


def test_where_no_replica_set_may_be_listed_nothing_is_claimed() -> None:
    """The right to list deployments alone gives no revision, and no crash."""
    assert find_in_force(workload(), during(6, 7), (), ()) == ()
    assert find_in_force(workload(), None, (), ()) == ()


def test_another_deployment_s_event_is_not_ours() -> None:
    """Its replica set may be called as it likes."""
    other = ClusterEvent(
        False, "ScalingReplicaSet", "deployment", "voice", "stt-service",
        "Scaled up replica set stt-service-1 from 0 to 1", 1, 6 * HOUR, 6 * HOUR,
    )  # fmt: skip

    assert names(find_in_force(THREE, during(6.5, 7), [other], ())) == ["orchestrator-2"]
