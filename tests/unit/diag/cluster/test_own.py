"""Thousands of workloads are looked at in work that grows with their number, and each keeps what is its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from diag.cluster import look_back
from diag.cluster.events import join_events
from diag.cluster.own import belongs
from diag.cluster.pods import view_gone, view_pod
from diag.model.cluster import ClusterEvent, ClusterFacts, Pod, Revision, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.cluster_view import ClusterView
from diag.model.instants import NS_PER_S
from diag.model.window import Window

WINDOW = Window(0, 10**6 * NS_PER_S)
SPACE = "voice"


def made(at: int, kind: str, name: str, owner: str = "", verb: str = "create") -> ClusterChange:
    return ClusterChange(
        verb=verb,
        kind=kind,
        namespace=SPACE,
        name=name,
        at_ns=at * NS_PER_S,
        images=("app:1",),
        template=verb != "delete",
        owner=owner,
        number=1,
        by="somebody",
        source="cloud-logging",
        ref=f"{name}@{at}",
    )


def of_log(number: int) -> list[ClusterChange]:
    """A deployment that came and went, as the audit log tells it."""
    name = f"gone-{number}"
    return [
        made(number, "deployment", name),
        made(number + 1, "replicaset", f"{name}-7d9f8c6b5d", name),
        made(number + 2, "deployment", name, verb="delete"),
    ]


def of_cluster(number: int) -> tuple[Workload, Pod, ClusterEvent]:
    name, at = f"here-{number}", number * NS_PER_S
    revision = f"{name}-7d9f8c6b5d"
    workload = Workload(
        "deployment", SPACE, name, 1, 1, created_ns=at, revisions=(Revision(revision, 1, at, ("app:1",)),)
    )
    pod = Pod(SPACE, f"{revision}-x2k4p", "Running", owner=revision, revision=revision, created_ns=at)
    event = ClusterEvent(
        warning=False,
        reason="ScalingReplicaSet",
        kind="deployment",
        namespace=SPACE,
        name=name,
        text=f"Scaled up replica set {revision} to 1",
        first_ns=at,
        last_ns=at,
        ref=f"event-{number}",
    )
    return workload, pod, event


def look(number: int) -> ClusterView:
    """At so many workloads that are there, and as many that only the audit log and the logs tell of."""
    workloads, pods, events = zip(*map(of_cluster, range(number)), strict=True)
    facts = ClusterFacts(
        "demo", 10**6 * NS_PER_S, (SPACE,), workloads=workloads, pods=pods, events=tuple(events)
    )
    changes = [change for n in range(number) for change in of_log(n)]
    heard = [f"gone-{n}-7d9f8c6b5d-abcde" for n in range(number)]
    return look_back(facts, WINDOW, changes=changes, heard=heard)


def count_work(call: Callable[[], Any]) -> int:
    """The instructions of Python that a call takes: the same on every machine, however busy."""
    count, before = 0, sys.gettrace()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def test_the_work_grows_with_the_number_and_not_with_its_square() -> None:
    """Four times as many cost about four times as much; squared it would be sixteen times."""
    look(1)
    few, many = count_work(lambda: look(30)), count_work(lambda: look(120))

    assert many < 6 * few


def test_one_workload_that_is_changed_all_day_costs_no_square_either() -> None:
    """All its lines say the same, each at its own time."""

    def change(number: int) -> int:
        changes = [made(n, "deployment", "busy", verb="patch") for n in range(number)]
        return count_work(lambda: look_back(ClusterFacts("demo", 0, (SPACE,)), WINDOW, changes=changes))

    change(1)
    assert change(240) < 6 * change(60)


def test_each_has_its_own() -> None:
    """Of many: its revision, its pod, its event, and the end of those that went."""
    view = look(12)
    rows = {one.workload.name: one for one in view.workloads}

    assert len(rows) == 24
    for n in range(12):
        here, gone = rows[f"here-{n}"], rows[f"gone-{n}"]
        assert [pod.name for pod in here.pods] == [f"here-{n}-7d9f8c6b5d-x2k4p"]
        assert [one.name for one in here.in_force] == [f"here-{n}-7d9f8c6b5d"]
        assert [pod.name for pod in gone.pods] == [f"gone-{n}-7d9f8c6b5d-abcde"]
        assert gone.pods[0].images == ("app:1",)
        assert [(one.name, one.until_ns) for one in gone.in_force] == [
            (f"gone-{n}-7d9f8c6b5d", (n + 2) * NS_PER_S)
        ]
    assert view.others == ()


@pytest.mark.parametrize(
    ("kind", "name", "is_its"),
    [
        ("statefulset", "tts-0", True),
        ("statefulset", "tts-12", True),
        ("statefulset", "tts-x", False),
        ("statefulset", "12", False),
        ("deployment", "tts-7d9f8c6b5d-abcde", True),
        ("deployment", "tts-old-7d9f8c6b5d-abcde", False),
        ("deployment", "tts", False),
    ],
)
def test_the_name_of_a_pod_that_is_gone_tells_whose_it_was(kind: str, name: str, is_its: bool) -> None:
    """And the view shows it where it belongs."""
    workload = Workload(kind, SPACE, "tts", 1, 1)

    assert belongs(view_gone(SPACE, name, "x"), workload) is is_its
    view = look_back(ClusterFacts("demo", 0, (), workloads=(workload,)), WINDOW, heard=[name])
    assert [pod.name for pod in view.workloads[0].pods] == [name] * is_its
    assert [pod.name for pod in view.others] == [name] * (not is_its)


def test_a_pod_of_another_namespace_is_not_taken() -> None:
    """Though its name and its owner's are the same."""
    workload, pod, _ = of_cluster(1)
    other = Pod("test", pod.name, "Running", owner=pod.owner, revision=pod.revision)

    assert belongs(view_pod(pod, None), workload)
    assert not belongs(view_pod(other, None), workload)


def counted(source: str, first: int | None, last: int | None, ref: str) -> ClusterEvent:
    return ClusterEvent(
        warning=True,
        reason="BackOff",
        kind="pod",
        namespace=SPACE,
        name="a",
        text="Back-off restarting",
        first_ns=first,
        last_ns=last,
        source=source,
        ref=ref,
    )


def test_what_the_cluster_counts_the_log_has_once_for_each_time() -> None:
    """Within its first and last time it is the same; what lies outside, or has no time, is not."""
    ours = [counted("kubernetes", 10, 30, "a"), counted("kubernetes", 10, 30, "again")]
    logged = [counted("cloud-logging", at, at, f"l{at}") for at in (5, 10, 20, 30, 31, 31)]
    timeless = [counted("cloud-logging", None, None, "t"), counted("kubernetes", None, None, "k")]

    assert [one.ref for one in join_events(ours, logged, timeless)] == ["k", "t", "l5", "a", "l31"]
