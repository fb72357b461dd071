"""Refusals, as the real service words and codes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, Help
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from google.protobuf.message import Message


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


def quota_exceeded(project: str, per_minute: int) -> RequestError:
    """Too many read requests: RESOURCE_EXHAUSTED, as seen in public issue reports."""
    info = ErrorInfo(
        reason="RATE_LIMIT_EXCEEDED",
        domain="googleapis.com",
        metadata={
            "service": "logging.googleapis.com",
            "consumer": f"projects/{project}",
            "quota_metric": "logging.googleapis.com/read_requests",
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
        f"'logging.googleapis.com' for consumer 'projects/{project}'.",
        (info, Help(links=[link])),
    )
