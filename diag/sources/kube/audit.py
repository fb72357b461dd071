"""Audit lines of the cluster, as Cloud Logging has them -> what somebody changed of workloads.

Facts: GKE, "About audit logging"; ``google/cloud/audit/audit_log.proto``. A line of the activity log has
``methodName`` ``io.k8s.apps.v1.deployments.patch``, ``resourceName``
``apps/v1/namespaces/N/deployments/NAME``, and mostly the object as ``response``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diag.model.cluster_change import ClusterChange
from diag.model.records import LogRecord
from diag.normalise import redact_text
from diag.sources.kube.fields import Object, dig, instant_at, list_at, number_at, text_at, texts_at
from diag.sources.kube.workloads import image_of

_METHOD = re.compile(
    r"io\.k8s\.(?:apps|extensions)\.[^.]+\.(?P<kind>deployment|statefulset|replicaset)s"
    r"\.(?P<verb>create|update|patch|delete)"
)
_PLACE = re.compile(r"[^/]+/[^/]+/namespaces/(?P<namespace>[^/]+)/[^/]+(?:/(?P<name>[^/]+))?")
_NUMBER = "deployment.kubernetes.io/revision"


def is_audit_line(record: LogRecord) -> bool:
    """Whether it tells a change, and is no event."""
    return not isinstance(record.data, str) and "protoPayload" in record.data


def to_changes(records: Iterable[LogRecord]) -> Iterator[ClusterChange]:
    """The changes that were made; what was refused, or is of something else, is left out."""
    for record in records:
        entry = {} if isinstance(record.data, str) else record.data
        said = dig(entry, "protoPayload")
        method = _METHOD.fullmatch(text_at(said, "methodName"))
        place = _PLACE.fullmatch(text_at(said, "resourceName"))
        at_ns = instant_at(entry, "timestamp")
        if method and place and at_ns is not None and not number_at(said, "status", "code"):
            when, insert_id = text_at(entry, "timestamp"), text_at(entry, "insertId")
            name = place["name"] or _name_of(said)
            yield ClusterChange(
                verb=method["verb"],
                kind=method["kind"],
                namespace=place["namespace"],
                name=name,
                at_ns=at_ns,
                images=_images_of(said),
                template=_is_of_template(said, method["verb"]),
                owner=_owner_of(said),
                number=_number_of(said),
                by=redact_text(text_at(said, "authenticationInfo", "principalEmail")),
                source=record.source,
                ref=f"{name}@{when}#{insert_id}",
            )


def _objects(said: Object) -> Iterator[Object]:
    """The whole object as it was then, if the line has it, before what was asked for."""
    for part in ("response", "request"):
        found = dig(said, part)
        if found:
            yield found


def _name_of(said: Object) -> str:
    return next(filter(None, (text_at(one, "metadata", "name") for one in _objects(said))), "")


def _images_of(said: Object) -> tuple[str, ...]:
    for one in _objects(said):
        containers = list_at(one, "spec", "template", "spec", "containers")
        images = tuple(filter(None, map(image_of, containers)))
        if images:
            return images
    return ()


def _is_of_template(said: Object, verb: str) -> bool:
    """A patch says what it is about; where the line does not have it, it may be about anything."""
    asked = dig(said, "request")
    if verb == "delete":
        return False
    return verb != "patch" or not asked or dig(asked, "spec", "template") is not None


def _owner_of(said: Object) -> str:
    for one in _objects(said):
        for owner in list_at(one, "metadata", "ownerReferences"):
            if text_at(owner, "kind") == "Deployment":
                return text_at(owner, "name")
    return ""


def _number_of(said: Object) -> int:
    for one in _objects(said):
        number = texts_at(one, "metadata", "annotations").get(_NUMBER, "")
        if number.isascii() and number.isdigit() and len(number) < 10:
            return int(number)
    return 0
