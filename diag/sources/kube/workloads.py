"""Deployments, stateful sets and their revisions, from the API's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diag.model.cluster import Revision, Workload
from diag.model.containers import Condition, Container, Port, Probe
from diag.normalise import redact_text
from diag.sources.kube.fields import Object, dig, instant_at, list_at, number_at, text_at, texts_at

_REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_HANDLERS = (("http", "httpGet"), ("tcp", "tcpSocket"), ("grpc", "grpc"), ("exec", "exec"))


def to_deployments(deployments: Iterable[Object], replica_sets: Iterable[Object]) -> Iterator[Workload]:
    """Deployments with the replica sets that are theirs."""
    sets = list(replica_sets)
    for one in deployments:
        yield _to_workload("deployment", one, map(_to_revision, _owned_by(one, sets)))


def to_stateful_sets(stateful_sets: Iterable[Object], revisions: Iterable[Object]) -> Iterator[Workload]:
    """Stateful sets with the controller revisions that are theirs."""
    known = list(revisions)
    for one in stateful_sets:
        yield _to_workload("statefulset", one, (_to_stored(rev, one) for rev in _owned_by(one, known)))


def _to_workload(kind: str, one: Object, revisions: Iterable[Revision]) -> Workload:
    spec = dig(one, "spec", "template", "spec")
    return Workload(
        kind=kind,
        namespace=text_at(one, "metadata", "namespace"),
        name=text_at(one, "metadata", "name"),
        wanted=number_at(one, "spec", "replicas", default=1),
        ready=number_at(one, "status", "readyReplicas"),
        updated=number_at(one, "status", "updatedReplicas"),
        created_ns=instant_at(one, "metadata", "creationTimestamp"),
        selector=texts_at(one, "spec", "selector", "matchLabels"),
        labels=texts_at(one, "spec", "template", "metadata", "labels"),
        containers=to_containers(spec),
        revisions=tuple(sorted(revisions, key=lambda rev: (rev.number, rev.name))),
        conditions=to_conditions(one),
        account=text_at(spec, "serviceAccountName"),
    )


def _owned_by(owner: Object, objects: Iterable[Object]) -> Iterator[Object]:
    uid = text_at(owner, "metadata", "uid")
    for one in objects:
        if uid and any(text_at(ref, "uid") == uid for ref in list_at(one, "metadata", "ownerReferences")):
            yield one


def _to_revision(replica_set: Object) -> Revision:
    notes = texts_at(replica_set, "metadata", "annotations")
    return Revision(
        name=text_at(replica_set, "metadata", "name"),
        number=_to_number(notes.get(_REVISION, "")),
        created_ns=instant_at(replica_set, "metadata", "creationTimestamp"),
        images=_images_of(dig(replica_set, "spec", "template", "spec")),
        replicas=number_at(replica_set, "status", "replicas"),
        ready=number_at(replica_set, "status", "readyReplicas"),
        returned=bool(notes.get(_HISTORY)),
    )


def _to_stored(revision: Object, owner: Object) -> Revision:
    """A controller revision holds the template; how many pods have it the stateful set tells."""
    name = text_at(revision, "metadata", "name")
    is_current = name == text_at(owner, "status", "updateRevision")
    return Revision(
        name=name,
        number=number_at(revision, "revision"),
        created_ns=instant_at(revision, "metadata", "creationTimestamp"),
        images=_images_of(dig(revision, "data", "spec", "template", "spec")),
        replicas=number_at(owner, "status", "updatedReplicas") if is_current else 0,
        ready=number_at(owner, "status", "readyReplicas") if is_current else 0,
    )


def _to_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _images_of(spec: object) -> tuple[str, ...]:
    return tuple(image_of(one) for one in list_at(spec, "containers"))


def image_of(container: object) -> str:
    """The image; one that somebody wrote as an address may have a login in it."""
    image = text_at(container, "image")
    return redact_text(image) if "://" in image else image


def to_containers(spec: object) -> tuple[Container, ...]:
    """The containers of a pod's specification. Values of variables are left where they are."""
    return tuple(
        Container(
            name=text_at(one, "name"),
            image=image_of(one),
            ports=tuple(
                Port(
                    number=number_at(port, "containerPort"),
                    name=text_at(port, "name"),
                    protocol=text_at(port, "protocol") or "TCP",
                )
                for port in list_at(one, "ports")
            ),
            probes=tuple(_to_probes(one)),
            variables=tuple(text_at(variable, "name") for variable in list_at(one, "env")),
            pull_policy=text_at(one, "imagePullPolicy"),
        )
        for one in list_at(spec, "containers")
    )


def _to_probes(container: object) -> Iterator[Probe]:
    for role in ("startup", "liveness", "readiness"):
        probe = dig(container, f"{role}Probe")
        handler = next(((name, dig(probe, key)) for name, key in _HANDLERS if dig(probe, key)), None)
        if handler is None:
            continue
        yield Probe(
            role=role,
            handler=handler[0],
            port=text_at(handler[1], "port"),
            path=redact_text(text_at(handler[1], "path")),
            delay_s=number_at(probe, "initialDelaySeconds"),
            period_s=number_at(probe, "periodSeconds", default=10),
            timeout_s=number_at(probe, "timeoutSeconds", default=1),
            failures=number_at(probe, "failureThreshold", default=3),
        )


def to_conditions(one: Object) -> tuple[Condition, ...]:
    """What an object says of itself."""
    return tuple(
        Condition(
            kind=text_at(row, "type"),
            status=text_at(row, "status"),
            since_ns=instant_at(row, "lastTransitionTime"),
            reason=text_at(row, "reason"),
        )
        for row in list_at(one, "status", "conditions")
    )
