"""Pods, from the API's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diag.model.cluster import Pod
from diag.model.containers import ContainerStatus, Ending
from diag.normalise import redact_text
from diag.sources.kube.fields import Object, code_at, dig, instant_at, list_at, number_at, text_at, texts_at
from diag.sources.kube.workloads import image_of, to_conditions, to_containers

_REVISION_LABEL = "controller-revision-hash"
_STATES = ("running", "waiting", "terminated")


def to_pods(pods: Iterable[Object]) -> Iterator[Pod]:
    """Each pod with what its node tells of its containers."""
    for one in pods:
        labels, owner = texts_at(one, "metadata", "labels"), _owner_of(one)
        yield Pod(
            namespace=text_at(one, "metadata", "namespace"),
            name=text_at(one, "metadata", "name"),
            phase=text_at(one, "status", "phase"),
            owner=owner,
            # a stateful set is its pods' owner, and its revisions are no objects between the two
            revision=labels.get(_REVISION_LABEL) or owner,
            reason=redact_text(text_at(one, "status", "reason")),
            node=text_at(one, "spec", "nodeName"),
            created_ns=instant_at(one, "metadata", "creationTimestamp"),
            started_ns=instant_at(one, "status", "startTime"),
            deleted_ns=instant_at(one, "metadata", "deletionTimestamp"),
            labels=labels,
            conditions=to_conditions(one),
            containers=to_containers(dig(one, "spec")),
            statuses=tuple(map(_to_status, list_at(one, "status", "containerStatuses"))),
            initial=tuple(map(_to_status, list_at(one, "status", "initContainerStatuses"))),
            account=text_at(one, "spec", "serviceAccountName"),
        )


def _owner_of(one: Object) -> str:
    owners = list_at(one, "metadata", "ownerReferences")
    return next((text_at(ref, "name") for ref in owners if dig(ref, "controller") is True), "")


def _to_status(status: object) -> ContainerStatus:
    state = next((name for name in _STATES if dig(status, "state", name) is not None), "waiting")
    now = dig(status, "state", state)
    return ContainerStatus(
        name=text_at(status, "name"),
        image=image_of(status),
        image_id=text_at(status, "imageID"),
        state=state,
        reason=redact_text(text_at(now, "reason")),
        since_ns=instant_at(now, "finishedAt") or instant_at(now, "startedAt"),
        ready=dig(status, "ready") is True,
        restarts=number_at(status, "restartCount"),
        ending=_to_ending(dig(status, "state", "terminated")),
        last=_to_ending(dig(status, "lastState", "terminated")),
    )


def _to_ending(ended: object) -> Ending | None:
    if not isinstance(ended, dict):
        return None
    return Ending(
        reason=redact_text(text_at(ended, "reason")),
        exit_code=code_at(ended, "exitCode"),
        signal=code_at(ended, "signal"),
        started_ns=instant_at(ended, "startedAt"),
        finished_ns=instant_at(ended, "finishedAt"),
    )
