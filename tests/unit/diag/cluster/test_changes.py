"""What the audit log adds to what the cluster still knows, from lines as GKE writes them."""

from __future__ import annotations

from typing import Any

import pytest

from diag.cluster import look_back
from diag.cluster.changes import UNMATCHED
from diag.model.cluster import ClusterFacts, Revision, Unread, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.cluster_view import WorkloadView
from diag.model.instants import NS_PER_S, format_instant
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.sources.kube.audit import to_changes

HOUR = 3600 * NS_PER_S
PERSON = "maria.schmidt@shop.example"
DEPLOYMENTS = "apps/v1/namespaces/voice/deployments"


def template(image: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "orchestrator", "image": image}]}}}


def line(method: str, resource: str, hours: float, **said: Any) -> LogRecord:
    """As the activity log of a GKE cluster has it (a public ``kubectl set image``, names changed)."""
    when = format_instant(int(hours * HOUR))
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "k8s.io",
        "methodName": method,
        "resourceName": resource,
        "authenticationInfo": {"principalEmail": PERSON},
        "authorizationInfo": [{"granted": True, "permission": method, "resource": resource}],
        "requestMetadata": {"callerIp": "203.0.113.7", "callerSuppliedUserAgent": "kubectl/v1.31.0"},
        "status": {},
        **said,
    }
    entry = {
        "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "voice", "location": "eu"}},
        "timestamp": when,
        "insertId": f"a{hours}",
        "severity": "NOTICE",
        "protoPayload": payload,
    }
    return LogRecord(entry, "", "cloud-logging")


def ordered(hours: float, image: str, name: str = "orchestrator", **said: Any) -> LogRecord:
    """Somebody sets another image."""
    whole = {"@type": "apps.k8s.io/v1.Deployment", "metadata": {"name": name}, "spec": template(image)}
    return line(
        "io.k8s.apps.v1.deployments.patch",
        f"{DEPLOYMENTS}/{name}",
        hours,
        request={"@type": "k8s.io/Patch", "spec": template(image)},
        response=whole,
        **said,
    )


def made(hours: float, number: int, name: str = "orchestrator") -> LogRecord:
    """The deployment's controller makes a replica set."""
    own = f"{name}-gone{number}"
    whole = {
        "metadata": {
            "name": own,
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "name": name, "controller": True}],
        },
        "spec": template(f"voice-agent/{name}:{number}"),
    }
    place = f"apps/v1/namespaces/voice/replicasets/{own}"
    return line("io.k8s.apps.v1.replicasets.create", place, hours, response=whole)


def deleted(hours: float, name: str = "orchestrator") -> LogRecord:
    return line("io.k8s.apps.v1.deployments.delete", f"{DEPLOYMENTS}/{name}", hours)


def revision(number: int, hours: int, *, returned: bool = False) -> Revision:
    images = (f"voice-agent/orchestrator:{number}",)
    return Revision(f"orchestrator-{number}", number, hours * HOUR, images, returned=returned)


def look(
    records: list[LogRecord],
    *revisions: Revision,
    first: float = 6,
    last: float = 7,
    unread: tuple[Unread, ...] = (),
) -> tuple[WorkloadView, ...]:
    """What is said of the hours from `first` to `last`, with these revisions kept; none: no deployment."""
    kept = Workload("deployment", "voice", "orchestrator", 1, created_ns=HOUR, revisions=revisions)
    facts = ClusterFacts("gke", 20 * HOUR, ("voice",), workloads=(kept,) if revisions else (), unread=unread)
    window = Window(int(first * HOUR), int(last * HOUR))
    return look_back(facts, window, changes=tuple(to_changes(records))).workloads


def test_a_line_tells_what_was_changed_and_not_who_it_was() -> None:
    """The object, its images, and a pseudonym for the person."""
    (change,) = to_changes([ordered(5, "voice-agent/orchestrator:2")])

    assert (change.verb, change.kind, change.namespace, change.name) == (
        "patch",
        "deployment",
        "voice",
        "orchestrator",
    )
    assert (change.images, change.template) == (("voice-agent/orchestrator:2",), True)
    assert change.by
    assert "maria" not in change.by
    assert change.ref == f"orchestrator@{format_instant(5 * HOUR)}#a5"


def test_a_login_in_an_image_is_told_by_nobody() -> None:
    """Somebody who orders an image by its whole address may have written a password into it."""
    (change,) = to_changes([ordered(5, "https://deploy:hunter2secret@registry.example/orchestrator:2")])

    assert change.images
    assert "hunter2secret" not in str(change)


@pytest.mark.parametrize(
    "record",
    [
        ordered(5, "x:1", status={"code": 7, "message": "forbidden"}),
        line("io.k8s.apps.v1.deployments.status.update", f"{DEPLOYMENTS}/orchestrator/status", 5),
        line("io.k8s.core.v1.pods.create", "core/v1/namespaces/voice/pods/x", 5),
        line("io.k8s.apps.v1.deployments.patch", "what/ever", 5),
        LogRecord(
            {"protoPayload": {"methodName": ["io.k8s.apps.v1.deployments.patch"]}}, "", "cloud-logging"
        ),
        LogRecord({"protoPayload": "a text"}, "", "cloud-logging"),
        LogRecord("a line", "", "files"),
    ],
)
def test_what_was_refused_or_is_of_something_else_changes_nothing(record: LogRecord) -> None:
    """Nor does a line that is not of its form."""
    assert list(to_changes([record])) == []


def test_a_replica_set_that_is_gone_is_known_with_its_images_by_its_making() -> None:
    """`revisionHistoryLimit` took it; the line that it was made is left, and who ordered it."""
    (one,) = look([ordered(5, "voice-agent/orchestrator:2"), made(5.001, 2)], revision(1, 1), revision(3, 9))

    (found,) = one.in_force
    assert (found.name, found.revision, found.certain) == ("orchestrator-gone2", None, True)
    assert found.images == found.told == ("voice-agent/orchestrator:2",)
    assert found.until_ns == 9 * HOUR
    assert [ref.rpartition("#")[2] for ref in found.evidence] == ["a5.001", "a5"]


def test_an_order_without_a_replica_set_is_only_as_far_as_is_known() -> None:
    """It may never have been rolled out: what the cluster says before it is not certain any more, and a note says why."""
    (one,) = look([ordered(5, "voice-agent/orchestrator:2")], revision(1, 1), revision(3, 9), first=4)

    assert [(found.name, found.certain) for found in one.in_force] == [("orchestrator-1", False), ("", False)]
    assert one.in_force[1].told == ("voice-agent/orchestrator:2",)
    assert UNMATCHED in one.notes


@pytest.mark.parametrize(
    ("records", "revisions"),
    [
        ([ordered(5, "voice-agent/orchestrator:9")], (revision(1, 1), revision(2, 9))),
        ([ordered(5, "voice-agent/orchestrator:9")], (revision(1, 1),)),
        ([ordered(5, "voice-agent/orchestrator:1")], (revision(1, 1), revision(3, 9))),
        ([ordered(5, "x:1", name="another")], (revision(1, 1), revision(3, 9))),
        ([ordered(5, "x:1"), made(8, 2)], (revision(1, 1), revision(3, 9))),
    ],
    ids=["no-number-is-missing", "it-is-the-current-one", "nothing-new", "another-workload", "made-none"],
)
def test_an_order_that_the_cluster_contradicts_makes_no_revision(
    records: list[LogRecord], revisions: tuple[Revision, ...]
) -> None:
    """The cluster's own objects count: numbers in a row leave no room for one that is gone."""
    one = next(view for view in look(records, *revisions) if view.workload.name == "orchestrator")

    assert [(found.name, found.certain) for found in one.in_force] == [("orchestrator-1", True)]
    assert UNMATCHED not in one.notes


def test_a_revision_that_the_cluster_keeps_is_told_by_the_cluster() -> None:
    """The order stands beside it as evidence of who wanted it."""
    (one,) = look([ordered(5, "voice-agent/orchestrator:2")], revision(1, 1), revision(2, 5), first=5.5)

    (found,) = one.in_force
    assert (found.name, found.certain, found.told) == ("orchestrator-2", True, ())
    assert found.evidence == (
        "replicaset/voice/orchestrator-2:created",
        f"orchestrator@{format_instant(5 * HOUR)}#a5",
    )


def test_the_time_of_a_return_may_be_known_by_its_order_alone() -> None:
    """`kubectl rollout undo` makes no replica set, and its events are gone: still no more than likely."""
    back = Revision("orchestrator-1", 3, HOUR, ("voice-agent/orchestrator:1",), returned=True)
    records = [ordered(8, "voice-agent/orchestrator:1")]

    (before,) = look(records, revision(2, 5), back)
    (after,) = look(records, revision(2, 5), back, first=8.5, last=9)

    assert [found.name for found in before.in_force] == ["orchestrator-2"]
    assert [(found.name, found.since_ns, found.certain) for found in after.in_force] == [
        ("orchestrator-1", 8 * HOUR, False)
    ]


def test_a_deployment_that_was_deleted_since_is_of_the_window() -> None:
    """With what it ran, until when, and that the audit log alone says so."""
    (one,) = look([made(5, 1), deleted(6.5)])

    assert (one.workload.name, one.workload.wanted) == ("orchestrator", 0)
    (found,) = one.in_force
    assert (found.images, found.until_ns) == (("voice-agent/orchestrator:1",), int(6.5 * HOUR))
    assert any("deleted" in note and "by the audit log" in note for note in one.notes)


@pytest.mark.parametrize(("first", "last"), [(7, 8), (3, 4)])
def test_one_that_was_deleted_before_or_made_after_the_window_is_none_of_it(first: int, last: int) -> None:
    """It did not run then."""
    create = line("io.k8s.apps.v1.deployments.create", DEPLOYMENTS, 5, response={"metadata": {"name": "a"}})

    assert look([create, deleted(6.5, "a")], first=first, last=last) == ()
    assert [one.workload.name for one in look([create, deleted(6.5, "a")], first=5.5, last=6)] == ["a"]


def test_nothing_is_deleted_where_workloads_could_not_be_listed() -> None:
    """Who may not see them can not say that one is missing."""
    assert look([made(5, 1), deleted(6.5)], unread=(Unread("deployments", "not allowed"),)) == ()


def test_changes_stand_among_the_events_with_their_place() -> None:
    """Marked as what they are: no events of the cluster."""
    facts = ClusterFacts("gke", 20 * HOUR, ("voice",))
    records = [ordered(6.5, "voice-agent/orchestrator:2"), made(6.51, 2)]
    view = look_back(
        facts, Window(6 * HOUR, 7 * HOUR), changes=tuple[ClusterChange, ...](to_changes(records))
    )

    (event,) = view.events
    assert (event.reason, event.kind, event.source, event.audited) == (
        "Patched",
        "deployment",
        "cloud-logging",
        True,
    )
    assert "template of voice-agent/orchestrator:2 (audit log)" in event.text
    assert PERSON not in event.text
