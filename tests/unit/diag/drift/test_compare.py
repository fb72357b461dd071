"""Files against the cluster: what differs is told, what can not be known is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.drift import compare
from diag.drift.images import tell_difference
from diag.model.cluster import THE_REST, Autoscaler, Service, Unread, Workload
from diag.model.cluster_view import ClusterView, WorkloadView
from diag.model.containers import Container, Port
from diag.model.manifests import Difference, Drift, Manifest, Manifests, NotRead

BOX = Container("o", "r/o:v1")
FILE = Manifest(
    "deployment",
    "voice",
    "o",
    "o.yaml",
    1,
    replicas=2,
    containers=(BOX,),
    lines={"replicas": 6, "image of o": 9},
)
LIVE = Workload("deployment", "voice", "o", wanted=2, containers=(BOX,))
PORT = Port(80, target="http")
FILE_SERVICE = Manifest("service", "voice", "o", "o.yaml", 20, selector={"app": "o"}, ports=(PORT,))
LIVE_SERVICE = Service("voice", "o", "ClusterIP", {"app": "o"}, (PORT,))


def view(*objects: Workload | Service | Autoscaler, **more: object) -> ClusterView:
    cluster = ClusterView(
        "here", 0, None, ("voice",),
        workloads=tuple(WorkloadView(one, (), ()) for one in objects if isinstance(one, Workload)),
        services=tuple(one for one in objects if isinstance(one, Service)),
        autoscalers=tuple(one for one in objects if isinstance(one, Autoscaler)),
    )  # fmt: skip
    return replace(cluster, **more)


def drift(file: Manifest, *live: Workload | Service | Autoscaler, **more: object) -> Drift:
    return compare(Manifests((file,), 1), view(*live, **more))


def told(found: Drift) -> list[tuple[str, str, str]]:
    return [(one.what, one.wanted, one.live) for one in found.differences]


def test_what_is_the_same_is_counted() -> None:
    """And nothing is told."""
    found = compare(Manifests((FILE, FILE_SERVICE), 1), view(LIVE, LIVE_SERVICE))

    assert (found.differences, found.compared, found.not_compared) == ((), 2, ())


def test_a_difference_has_both_of_its_places() -> None:
    """Line and field, so that both can be looked up."""
    live = replace(LIVE, wanted=1, containers=(replace(BOX, image="r/o:v2"),))
    found = drift(FILE, live)

    assert told(found) == [("image of o", "r/o:v1", "r/o:v2"), ("replicas", "2", "1")]
    assert [(one.file_ref, one.live_ref) for one in found.differences] == [
        ("o.yaml:9", "deployment/voice/o:image"),
        ("o.yaml:6", "deployment/voice/o:replicas"),
    ]
    assert [one.source for one in found.differences[0].to_evidence()] == ["manifests", "kubernetes"]


@pytest.mark.parametrize("in_files", [True, False])
def test_replicas_of_an_autoscaler_are_its_own(in_files: bool) -> None:
    """Whether it is live or only in the files."""
    live = replace(LIVE, wanted=5)
    if in_files:
        scaler = Manifest("horizontalpodautoscaler", "voice", "o", "h.yaml", 1, most=9, target="deployment/o")
        assert not compare(Manifests((FILE, scaler), 2), view(live)).differences
    else:
        assert not drift(FILE, live, Autoscaler("voice", "o", "deployment/o", 1, 9)).differences


def test_replicas_that_no_file_says_are_not_compared() -> None:
    """Somebody scaled it, and may."""
    assert not drift(replace(FILE, replicas=None), replace(LIVE, wanted=5)).differences


def test_a_service_is_compared_by_what_it_means() -> None:
    """A field that a file leaves out has Kubernetes' default."""
    live = replace(
        LIVE_SERVICE, affinity="ClientIP", kind="LoadBalancer", selector={"app": "x"}, ports=(Port(81),)
    )

    assert told(drift(FILE_SERVICE, live)) == [
        ("sessionAffinity", "None", "ClientIP"),
        ("type", "ClusterIP", "LoadBalancer"),
        ("selector", "app=o", "app=x"),
        ("ports", "80/TCP", "81/TCP"),
    ]


def test_what_is_missing_is_told_only_where_all_was_seen() -> None:
    """An unread kind, another namespace, a view that left others out: not compared, with the reason."""
    assert told(drift(FILE)) == [("not in the cluster", "", "")]
    for more, why in (
        ({"unread": (Unread("deployments", "403"),)}, "403"),
        ({"unread": (Unread(THE_REST, "late"),)}, "late"),
        ({"namespaces": ("other",)}, "the namespace voice was not read"),
        ({"left_out": 3}, "3 others were left out"),
    ):
        found = drift(FILE, **more)
        assert not found.differences
        assert why in found.not_compared[0][1]


def test_a_service_is_missing_only_where_no_service_was_left_out() -> None:
    """A session's view has the services of the session alone."""
    assert told(drift(FILE_SERVICE)) == [("not in the cluster", "", "")]

    found = drift(FILE_SERVICE, services_left_out=2)

    assert not found.differences
    assert "2 others were left out" in found.not_compared[0][1]


def test_nothing_is_missing_in_the_platform_s_own_namespaces() -> None:
    """Who asks for all namespaces does not get these."""
    found = drift(replace(FILE, namespace="istio-system"), namespaces=())

    assert not found.differences
    assert "the namespace istio-system was not read" in found.not_compared[0][1]


def test_what_no_file_asks_for_is_told_only_where_every_file_was_read() -> None:
    """And only in the files' namespaces."""
    extra = Workload("deployment", "voice", "extra", 1)
    elsewhere = Workload("deployment", "other", "more", 1)
    files = Manifests((FILE,), 1)

    assert [(one.name, one.what) for one in compare(files, view(LIVE, extra, elsewhere)).differences] == [
        ("extra", "in no file")
    ]
    unread = replace(files, not_read=(NotRead("x.yaml", "a Helm template"),))
    assert not compare(unread, view(LIVE, extra)).differences
    assert not compare(Manifests((FILE_SERVICE,), 1), view(LIVE_SERVICE, extra)).differences


def test_what_the_files_want_must_be_known() -> None:
    """Two files of one object, or a kustomization that patches it."""
    live = replace(LIVE, containers=(replace(BOX, image="r/o:v2"),))
    two = compare(Manifests((FILE, replace(FILE, path="prod.yaml")), 2), view(live))
    patched = drift(replace(FILE, patched_by="prod/kustomization.yaml"), live)

    assert (two.differences, two.not_compared) == (
        (),
        (("deployment/o", "it stands in o.yaml:1 and prod.yaml:1"),),
    )
    assert (patched.differences, patched.not_compared[0][1]) == ((), "prod/kustomization.yaml changes it")


def test_without_a_namespace_the_only_one_of_its_name_is_meant() -> None:
    """Of two nobody knows."""
    file = replace(FILE, namespace="", replicas=3)
    other = replace(LIVE, namespace="test")

    assert told(drift(file, LIVE)) == [("replicas", "3", "2")]
    assert not drift(file, LIVE, other).differences


@pytest.mark.parametrize(
    ("wanted", "live", "what"),
    [
        ("a/o:v1", "a/o:v1", ""),
        ("o", "docker.io/library/o:latest", ""),
        ("redpanda/x:v1", "docker.io/redpanda/x:v1", ""),
        ("a/o:v1", "a/o:v2", "tag"),
        ("a/o", "a/o:v2", "tag"),
        ("a/o:v1", "b.example:5000/a/o:v1", "registry path"),
        ("a/o:v1", "a/p:v1", "image"),
        ("a/o@sha256:1", "b/o@sha256:1", ""),
        ("a/o@sha256:1", "a/o@sha256:2", "digest"),
        ("a/o:v1", "a/o@sha256:2", ""),
        ("a/o:v1", "a/o:v1@sha256:2", ""),
    ],
)
def test_images_are_compared_by_what_they_name(wanted: str, live: str, what: str) -> None:
    """One digest is one image under every name; what one side leaves open is no difference."""
    assert tell_difference(wanted, live) == what


def test_a_difference_of_one_side_has_one_place() -> None:
    """What is in no file has only the cluster's."""
    assert [one.ref for one in Difference("d", "n", "o", "in no file", live_ref="d/n/o").to_evidence()] == [
        "d/n/o"
    ]
