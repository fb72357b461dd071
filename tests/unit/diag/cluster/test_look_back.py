"""The cluster of now, looked at as it was in a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.cluster import look_back
from diag.model.cluster import (
    THE_REST,
    ClusterEvent,
    ClusterFacts,
    Pod,
    Revision,
    Service,
    Unread,
    Workload,
)
from diag.model.containers import Condition, Container, ContainerStatus, Ending
from diag.model.instants import NS_PER_S
from diag.model.window import Window

MINUTE = 60 * NS_PER_S
WINDOW = Window(100 * MINUTE, 110 * MINUTE)
IMAGE = "voice-agent/orchestrator:2"
DIGEST = "sha256:" + "ab" * 32
WORKLOAD = Workload(
    "deployment", "voice", "orchestrator", 1, 1, created_ns=MINUTE,
    revisions=(Revision("orchestrator-7d9f8c6b5d", 2, 2 * MINUTE, (IMAGE,)),),
)  # fmt: skip


def pod(name: str = "orchestrator-7d9f8c6b5d-x2k4p", *, ready_since: int = 3 * MINUTE, **more: object) -> Pod:
    given: dict[str, object] = {
        "owner": "orchestrator-7d9f8c6b5d",
        "revision": "orchestrator-7d9f8c6b5d",
        "created_ns": 2 * MINUTE,
        "started_ns": 2 * MINUTE,
        "conditions": (Condition("Ready", "True", ready_since),),
        "containers": (Container("orchestrator", IMAGE),),
        "statuses": (ContainerStatus("orchestrator", IMAGE, f"docker.io/x@{DIGEST}", "running", ready=True),),
        **more,
    }
    return Pod("voice", name, "Running", **given)  # type: ignore[arg-type]


def facts(*pods: Pod, events: tuple[ClusterEvent, ...] = (), **more: object) -> ClusterFacts:
    return ClusterFacts(
        "demo",
        200 * MINUTE,
        ("voice",),
        workloads=(WORKLOAD,),
        pods=pods,
        events=events,
        **more,  # type: ignore[arg-type]
    )


def warning(name: str, first: int, last: int, *, source: str = "kubernetes", count: int = 1) -> ClusterEvent:
    return ClusterEvent(
        True,
        "BackOff",
        "pod",
        "voice",
        name,
        "Back-off restarting",
        count,
        first * MINUTE,
        last * MINUTE,
        source,
    )


def test_a_pod_that_was_ready_all_the_time_was_ready_then_with_the_digest_it_runs() -> None:
    """The digest is what the node tells, the name what was ordered."""
    (workload,) = look_back(facts(pod()), WINDOW).workloads
    (found,) = workload.pods

    assert (found.state, found.images, found.restarts, found.notes) == (
        "ready",
        (f"{IMAGE}@{DIGEST}",),
        0,
        (),
    )
    assert found.well


def test_what_became_ready_only_later_is_not_said_to_have_been_ready_then() -> None:
    """It may have been either before its last change."""
    (found,) = look_back(facts(pod(ready_since=150 * MINUTE)), WINDOW).pods

    assert found.state == "not known then"
    assert "after the window" in found.notes[0]


def test_a_pod_of_later_or_of_before_is_none_of_the_window() -> None:
    """One was made after it, one told to go before."""
    later, before = pod("later", created_ns=120 * MINUTE), pod("before", deleted_ns=50 * MINUTE)

    assert look_back(facts(later, before), WINDOW).pods == ()
    assert len(look_back(facts(later, before), None).pods) == 2


def test_a_restart_inside_the_window_is_told_with_its_reason_and_place() -> None:
    """One of before the window is only a number."""
    ended = Ending("OOMKilled", 137, None, 99 * MINUTE, 105 * MINUTE)
    status = ContainerStatus("orchestrator", IMAGE, "", "running", restarts=3, last=ended)

    (found,) = look_back(facts(pod(statuses=(status,))), WINDOW).pods
    (restart,) = found.restarted

    assert (restart.at_ns, restart.reason, restart.exit_code) == (105 * MINUTE, "OOMKilled", 137)
    assert (
        restart.ref
        == "pod/voice/orchestrator-7d9f8c6b5d-x2k4p:status.containerStatuses[orchestrator].lastState"
    )
    early = replace(status, last=replace(ended, finished_ns=50 * MINUTE))
    (found,) = look_back(facts(pod(statuses=(early,))), WINDOW).pods
    assert (found.restarts, found.restarted, found.well) == (3, (), True)


def test_a_pod_that_only_the_log_names_is_gone_and_has_its_revision_s_image() -> None:
    """Its replica set tells what it ran."""
    (workload,) = look_back(facts(pod()), WINDOW, heard=["orchestrator-7d9f8c6b5d-zzzzz"]).workloads
    gone = next(one for one in workload.pods if one.pod is None)

    assert (gone.name, gone.state, gone.images, gone.restarts) == (
        "orchestrator-7d9f8c6b5d-zzzzz",
        "gone",
        (IMAGE,),
        None,
    )
    assert "log entries name it" in gone.notes[0]


def test_a_pod_that_only_an_event_of_the_window_names_is_gone_too() -> None:
    """From the log service, where events live longer."""
    logged = [warning("orchestrator-7d9f8c6b5d-zzzzz", 101, 101, source="cloud-logging")]

    (found,) = look_back(facts(), WINDOW, logged=logged).pods

    assert found.state == "gone"
    assert "events name it" in found.notes[0]


def test_a_pod_that_may_have_run_in_another_namespace_is_not_gone() -> None:
    """Logs may be of all namespaces where the cluster was asked for one."""
    elsewhere = replace(warning("b-5c9b7f6d84-abcde", 101, 101, source="cloud-logging"), namespace="other")

    assert look_back(facts(), WINDOW, logged=[elsewhere], heard=["a-7d9f8c6b5d-zzzzz"]).pods == ()
    everywhere = replace(facts(), namespaces=())
    gone = look_back(everywhere, WINDOW, logged=[elsewhere], heard=["a-7d9f8c6b5d-zzzzz"]).pods
    assert [pod.name for pod in gone] == ["a-7d9f8c6b5d-zzzzz", "b-5c9b7f6d84-abcde"]


@pytest.mark.parametrize("what", ["pods", THE_REST])
def test_nothing_is_gone_where_pods_could_not_be_listed(what: str) -> None:
    """Who may not look, or heard nothing in time, must not say that there is none."""
    blind = facts(unread=(Unread(what, "pods in voice: not allowed"),))

    assert look_back(blind, WINDOW, heard=["orchestrator-7d9f8c6b5d-zzzzz"]).pods == ()


def test_events_of_the_window_are_those_that_touch_it_and_each_is_told_once() -> None:
    """The cluster counts what the log service lists one by one."""
    counted = warning("a", 90, 105, count=12)
    listed = [warning("a", at, at, source="cloud-logging") for at in (95, 101, 104)]
    outside = [warning("b", 10, 20), warning("c", 120, 130)]

    view = look_back(facts(events=(counted, *outside)), WINDOW, logged=listed)

    assert view.events == (counted,)


def test_an_event_that_the_cluster_has_forgotten_comes_from_the_log_service() -> None:
    """It lives an hour in the cluster."""
    logged = [warning("a", 101, 101, source="cloud-logging"), warning("a", 102, 102, source="cloud-logging")]

    assert len(look_back(facts(), WINDOW, logged=logged).events) == 2


def test_what_is_none_of_ours_is_left_out_and_counted() -> None:
    """A cluster runs more than a voice agent."""
    other = replace(WORKLOAD, name="billing", revisions=())
    service = Service("voice", "billing", "ClusterIP")
    all_of_it = replace(facts(pod()), workloads=(WORKLOAD, other), services=(service,))

    view = look_back(all_of_it, WINDOW, is_ours=lambda name: name.startswith("orchestrator"))

    assert [one.workload.name for one in view.workloads] == ["orchestrator"]
    assert (view.left_out, view.services) == (1, ())


def test_a_pod_in_back_off_says_why_it_waits() -> None:
    """As `kubectl get pods` does."""
    status = ContainerStatus("orchestrator", IMAGE, "", "waiting", "CrashLoopBackOff", restarts=7)
    waiting = pod(statuses=(status,), conditions=(Condition("Ready", "False", 3 * MINUTE),))

    (found,) = look_back(facts(waiting), WINDOW).pods

    assert (found.state, found.restarts, found.well) == ("CrashLoopBackOff", 7, False)
