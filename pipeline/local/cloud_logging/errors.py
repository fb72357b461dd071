"""Refusals, as the real service words and codes them: what public issue reports show, detail by detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, Help
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from google.protobuf.message import Message

_SERVICE = "logging.googleapis.com"
_REAL_QUOTA = 60

LIST_PERMISSION = "logging.logEntries.list"
WRITE_PERMISSION = "logging.logEntries.create"
DELETE_PERMISSION = "logging.logs.delete"

_TEXTS = {
    grpc.StatusCode.UNAVAILABLE: "The service is currently unavailable.",
    grpc.StatusCode.INTERNAL: "Internal error encountered.",
    grpc.StatusCode.DEADLINE_EXCEEDED: "Deadline expired before operation could complete.",
    grpc.StatusCode.CANCELLED: "The operation was cancelled.",
    grpc.StatusCode.ABORTED: "The operation was aborted.",
}


class RequestError(Exception):
    """A request that is refused, with the status to answer."""

    def __init__(self, code: grpc.StatusCode, text: str, details: Sequence[Message] = ()) -> None:
        super().__init__(text)
        self.code = code
        self._details = details

    def to_status(self) -> Status:
        """The status with its details."""
        status = Status(code=self.code.value[0], message=str(self))
        for detail in self._details:
            status.details.add().Pack(detail)
        return status


def invalid(text: str, details: Sequence[Message] = ()) -> RequestError:
    """The request is wrong in itself: INVALID_ARGUMENT."""
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, text, details)


def no_log(name: str) -> RequestError:
    """There is no log of this name, or no entry in it, which is the same."""
    return RequestError(grpc.StatusCode.NOT_FOUND, f"Log {name} does not exist")


def refuse(code: grpc.StatusCode, permission: str, project: str) -> RequestError:
    """A refusal with this code, as the service would give it to a caller without `permission`."""
    match code:
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return quota_exceeded(project, _REAL_QUOTA)
        case grpc.StatusCode.PERMISSION_DENIED:
            return permission_denied(permission)
        case grpc.StatusCode.UNAUTHENTICATED:
            return unauthenticated()
        case _:
            return RequestError(code, _TEXTS.get(code, f"The request failed: {code.name}."))


def quota_exceeded(project: str, per_minute: int) -> RequestError:
    """Too many read requests: RESOURCE_EXHAUSTED, with which limit it was, and no time to wait."""
    info = ErrorInfo(
        reason="RATE_LIMIT_EXCEEDED",
        domain="googleapis.com",
        metadata={
            "service": _SERVICE,
            "consumer": f"projects/{project}",
            "quota_metric": f"{_SERVICE}/read_requests",
            "quota_limit": "ReadRequestsPerMinutePerProject",
            "quota_limit_value": str(per_minute),
            "quota_location": "global",
        },
    )
    link = Help.Link(
        description="Request a higher quota limit.",
        url="https://cloud.google.com/docs/quotas/help/request_increase",
    )
    return RequestError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service "
        f"'{_SERVICE}' for consumer 'projects/{project}'.",
        (info, Help(links=[link])),
    )


def permission_denied(permission: str) -> RequestError:
    """The caller lacks `permission`; whether there is such a project it is not told."""
    info = ErrorInfo(
        reason="IAM_PERMISSION_DENIED", domain="iam.googleapis.com", metadata={"permission": permission}
    )
    text = f"Permission '{permission}' denied on resource (or it may not exist)."
    return RequestError(grpc.StatusCode.PERMISSION_DENIED, text, (info,))


def unauthenticated() -> RequestError:
    """The token has expired: UNAUTHENTICATED."""
    info = ErrorInfo(reason="ACCESS_TOKEN_EXPIRED", domain="googleapis.com", metadata={"service": _SERVICE})
    return RequestError(
        grpc.StatusCode.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential. "
        "See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        (info,),
    )
