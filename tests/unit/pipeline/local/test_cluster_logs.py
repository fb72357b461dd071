from __future__ import annotations

import json

import pytest

from pipeline.local.cluster_logs.audit import build_audit_entry
from pipeline.local.cluster_logs.audit_file import AuditFile
from pipeline.local.cluster_logs.events import build_event_entry
from pipeline.local.cluster_logs.origin import Origin

ORIGIN = Origin("p", "europe-west4", "voice")
RECORD = {
    "auditID": "a-1",
    "verb": "patch",
    "user": {"username": "dev@example.com"},
    "sourceIPs": ["10.0.0.9"],
    "requestReceivedTimestamp": "2026-11-23T10:00:00.000001Z",
    "responseStatus": {"code": 200},
    "annotations": {"authorization.k8s.io/decision": "allow"},
    "objectRef": {"apiVersion": "v1", "resource": "pods", "namespace": "n", "name": "x"},
}
EVENT = {
    "metadata": {
        "name": "e",
        "namespace": "n",
        "uid": "u",
        "resourceVersion": "7",
        "creationTimestamp": "T0",
    },
    "involvedObject": {"kind": "Pod", "namespace": "n", "name": "stt-service-6f46659ddf-n25zw"},
    "type": "Warning",
    "reason": "BackOff",
    "lastTimestamp": "T2",
    "firstTimestamp": "T1",
    "count": 3,
}


@pytest.mark.parametrize(
    ("reference", "method", "resource"),
    [
        ({"resource": "pods", "subresource": "status"}, "io.k8s.core.v1.pods.status.patch", "core/v1/namespaces/n/pods/x/status"),
        ({"apiGroup": "apps", "resource": "deployments"}, "io.k8s.apps.v1.deployments.patch", "apps/v1/namespaces/n/deployments/x"),
        ({"apiGroup": "rbac.authorization.k8s.io", "resource": "roles"}, "io.k8s.authorization.rbac.v1.roles.patch", "rbac.authorization.k8s.io/v1/namespaces/n/roles/x"),
    ],
)  # fmt: skip
def test_methods_and_resources_are_named_as_on_gke(reference, method, resource):
    """The group's domain is reversed in the method, and as it is in the resource."""
    entry = build_audit_entry(RECORD | {"objectRef": RECORD["objectRef"] | reference}, ORIGIN)

    assert entry
    assert entry["protoPayload"]["methodName"] == method
    assert entry["protoPayload"]["resourceName"] == resource


def test_a_refused_change_is_an_error_that_was_not_granted():
    """403 becomes PERMISSION_DENIED with the API server's words, and nothing says granted."""
    refused = {
        "responseStatus": {"code": 403, "message": 'pods "x" is forbidden'},
        "annotations": {"authorization.k8s.io/decision": "forbid"},
    }

    entry = build_audit_entry(RECORD | refused, ORIGIN)

    assert entry
    assert entry["severity"] == "ERROR"
    assert entry["protoPayload"]["status"] == {"code": 7, "message": 'pods "x" is forbidden'}
    assert "granted" not in entry["protoPayload"]["authorizationInfo"][0]


def test_a_change_with_a_wrong_token_is_nobodys():
    """As the API server writes it (1.36): without a user, without a decision; nothing was granted."""
    unknown = {"user": {}, "annotations": {}, "responseStatus": {"code": 401, "message": "Unauthorized"}}

    entry = build_audit_entry(RECORD | unknown, ORIGIN)

    assert entry
    assert entry["protoPayload"]["authenticationInfo"] == {"principalEmail": ""}
    assert entry["protoPayload"]["status"] == {"code": 16, "message": "Unauthorized"}
    assert "granted" not in entry["protoPayload"]["authorizationInfo"][0]


def test_what_an_entry_cannot_hold_is_left_out():
    """A JSON patch is no object, a schema can be too deep; what is about no resource is no entry."""
    deep: dict = {}
    for _ in range(100):
        deep = {"properties": deep}

    for request in ([{"op": "add"}], deep):
        entry = build_audit_entry(RECORD | {"requestObject": request, "responseObject": {"a": 1}}, ORIGIN)
        assert entry
        assert "request" not in entry["protoPayload"]
        assert entry["protoPayload"]["response"]["a"] == 1
    assert (
        build_audit_entry({key: value for key, value in RECORD.items() if key != "objectRef"}, ORIGIN) is None
    )


def test_an_event_is_exported_without_its_count():
    """Warning, the last time, the pod and its controller; each new version is an entry of its own."""
    entry = build_event_entry(EVENT, ORIGIN)
    again = build_event_entry(EVENT | {"metadata": EVENT["metadata"] | {"resourceVersion": "8"}}, ORIGIN)

    assert (entry["severity"], entry["timestamp"]) == ("WARNING", "T2")
    assert entry["resource"]["type"] == "k8s_pod"
    assert entry["labels"]["logging.gke.io/top_level_controller_name"] == "stt-service"
    assert not {"count", "firstTimestamp"} & entry["jsonPayload"].keys()
    assert entry["insertId"] != again["insertId"]


@pytest.mark.parametrize(
    ("involved", "type_", "labels"),
    [
        ({"kind": "Node", "name": "node-1"}, "k8s_node", {"node_name": "node-1"}),
        ({"kind": "Deployment", "namespace": "n", "name": "d"}, "k8s_cluster", {}),
        ({"kind": "Pod", "namespace": "elsewhere", "name": "p"}, "k8s_cluster", {}),
    ],
)
def test_what_an_event_is_about_is_its_resource(involved, type_, labels):
    """Nodes and pods have resources of their own, all else is the cluster's; a lone event has one time."""
    event = {key: value for key, value in EVENT.items() if key != "lastTimestamp"}

    entry = build_event_entry(event | {"involvedObject": involved}, ORIGIN)

    assert entry["resource"]["type"] == type_
    assert entry["resource"]["labels"].keys() - {"project_id", "location", "cluster_name"} == labels.keys()
    assert entry["timestamp"] == "T0"


def test_audit_file_is_read_in_whole_lines_across_a_new_file(tmp_path):
    """Half a line waits for its rest; a shorter file is a new one."""
    path = tmp_path / "audit.log"
    audit = AuditFile(path)
    assert audit.read() == []

    path.write_text(f"{json.dumps({'n': 1})}\n" + '{"n": ')
    assert audit.read() == [{"n": 1}]
    with path.open("a") as file:
        file.write("2}\n")
    assert audit.read() == [{"n": 2}]
    path.write_text('{"n": 3}\n')
    assert audit.read() == [{"n": 3}]
