"""One line of the API server's audit log -> one entry of Cloud Audit Logs, as GKE makes it. Pure.

Facts: GKE, "About audit logging"; ``google/cloud/audit/audit_log.proto``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeGuard

from google.rpc import code_pb2

from pipeline.local.cluster_logs.origin import Origin
from pipeline.local.log_agent.entry import is_shallow

_TYPE = "type.googleapis.com/google.cloud.audit.AuditLog"
_SERVICE = "k8s.io"
_PATCH = "k8s.io/Patch"
_CODES = {
    HTTPStatus.BAD_REQUEST: code_pb2.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: code_pb2.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: code_pb2.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: code_pb2.NOT_FOUND,
    HTTPStatus.CONFLICT: code_pb2.ABORTED,
    HTTPStatus.UNPROCESSABLE_ENTITY: code_pb2.INVALID_ARGUMENT,
}

Record = Mapping[str, Any]
"""An ``audit.k8s.io/v1`` Event."""


def build_audit_entry(record: Record, origin: Origin) -> dict[str, Any] | None:
    """The entry in REST form; None for a request that was about no resource."""
    if "objectRef" not in record:
        return None
    method, status = _name_method(record), _read_status(record)
    return {
        "logName": f"projects/{origin.project}/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": origin.cluster_resource(),
        "severity": "ERROR" if status else "NOTICE",
        "timestamp": record["requestReceivedTimestamp"],
        "insertId": record["auditID"],
        "labels": dict(record.get("annotations", {})),
        "operation": {"id": record["auditID"], "producer": _SERVICE, "first": True, "last": True},
        "protoPayload": {
            "@type": _TYPE,
            "serviceName": _SERVICE,
            "methodName": method,
            "resourceName": _name_resource(record["objectRef"]),
            "authenticationInfo": {"principalEmail": _name_user(record)},
            "authorizationInfo": [_describe_right(record, method)],
            "requestMetadata": {
                "callerIp": next(iter(record.get("sourceIPs", ())), ""),
                "callerSuppliedUserAgent": record.get("userAgent", ""),
            },
            "status": status,
            **_read_objects(record),
        },
    }


def _name_method(record: Record) -> str:
    """``io.k8s.apps.v1.deployments.patch``: the group's domain is reversed, as Java's packages are."""
    reference = record["objectRef"]
    group: str = reference.get("apiGroup") or "core"
    domain = ".".join(reversed(group.split("."))) if "." in group else f"io.k8s.{group}"
    resource = ".".join(filter(None, (reference["resource"], reference.get("subresource"))))
    return f"{domain}.{reference['apiVersion']}.{resource}.{record['verb']}"


def _name_resource(reference: Record) -> str:
    """``apps/v1/namespaces/voice-agent/deployments/stt-service``."""
    parts = [reference.get("apiGroup") or "core", reference["apiVersion"]]
    if "namespace" in reference:
        parts += ["namespaces", reference["namespace"]]
    parts += [reference["resource"], reference.get("name"), reference.get("subresource")]
    return "/".join(part for part in parts if part)


def _name_user(record: Record) -> str:
    """Empty where the API server did not know the token: then nobody has asked."""
    username: str = record.get("user", {}).get("username", "")
    return username


def _describe_right(record: Record, method: str) -> dict[str, Any]:
    decision = record.get("annotations", {}).get("authorization.k8s.io/decision")
    granted = {} if decision == "forbid" or not _name_user(record) else {"granted": True}
    return {**granted, "permission": method, "resource": _name_resource(record["objectRef"])}


def _read_status(record: Record) -> dict[str, Any]:
    """The status as gRPC has it; empty for a success."""
    status = record.get("responseStatus", {})
    code = status.get("code", HTTPStatus.OK)
    if code < HTTPStatus.BAD_REQUEST:
        return {}
    return {"code": _CODES.get(code, code_pb2.UNKNOWN), "message": status.get("message", "")}


def _read_objects(record: Record) -> dict[str, Any]:
    """Request and response, where the audit policy has kept them and an entry can hold them."""
    found = {}
    request, response = record.get("requestObject"), record.get("responseObject")
    if _can_be_held(request):
        type_name = _PATCH if record["verb"] == "patch" else _name_type(request)
        found["request"] = {"@type": type_name, **request}
    if _can_be_held(response):
        found["response"] = {"@type": _name_type(response), **response}
    return found


def _can_be_held(item: object) -> TypeGuard[Record]:
    """Whether it is an object, which a JSON patch is not, and not too deep, as a long schema is."""
    return isinstance(item, dict) and is_shallow(item)


def _name_type(item: Record) -> str:
    """``apps.k8s.io/v1.Deployment``, ``core.k8s.io/v1.Pod``."""
    group, _, version = item.get("apiVersion", "v1").rpartition("/")
    domain = group if "." in group else f"{group or 'core'}.k8s.io"
    return f"{domain}/{version}.{item.get('kind', 'Unknown')}"
