"""A write request -> the entries to keep, and the refusals of the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors

from pipeline.local.cloud_logging.encoding import encode_entry
from pipeline.local.cloud_logging.errors import RequestError, invalid
from pipeline.local.cloud_logging.store import StoredEntry

LARGEST_ENTRY_BYTES = 256 * 1024
_LOG_NAME = re.compile(r"projects/(?P<project>[^/]+)/logs/[^/]+")


@dataclass(slots=True)
class Sorted:
    """The entries of one request: those that can be kept, and why the others cannot, by index."""

    kept: list[StoredEntry] = field(default_factory=list)
    refused: dict[int, RequestError] = field(default_factory=dict)

    def check(self, *, partial_success: bool) -> list[StoredEntry]:
        """What is to be kept of the whole request: all of it or nothing, unless `partial_success`.

        Raises:
            RequestError: nothing is to be kept.
        """
        if self.refused and not (partial_success and self.kept):
            raise next(iter(self.refused.values()))
        return self.kept

    def to_error(self) -> RequestError | None:
        """After a partial success: one refusal's status, with all of them in its details."""
        if not self.refused:
            return None
        first = next(iter(self.refused.values()))
        errors = WriteLogEntriesPartialErrors.pb()()
        for index, error in self.refused.items():
            errors.log_entry_errors[index].CopyFrom(error.to_status())
        return RequestError(first.code, str(first), (errors,))


def sort_entries(request: Any, project: str, received_ns: int) -> Sorted:
    """Complete each entry of a ``WriteLogEntriesRequest`` from the request's defaults, and judge it."""
    result = Sorted()
    for index, entry in enumerate(request.entries):
        _complete(entry, request, received_ns, index)
        try:
            _judge(entry, project)
            result.kept.append(encode_entry(entry, received_ns))
        except RequestError as error:
            result.refused[index] = error
        except ValueError as error:
            # a time out of range, or a number that JSON does not have
            result.refused[index] = invalid(f"Log entry has an invalid value: {error}")
    return result


def _complete(entry: Any, request: Any, received_ns: int, index: int) -> None:
    """Fill in what is missing; by `index`, earlier entries of a request sort before later ones."""
    entry.log_name = entry.log_name or request.log_name
    if not entry.HasField("resource") and request.HasField("resource"):
        entry.resource.CopyFrom(request.resource)
    labels: Mapping[str, str] = request.labels
    for key, value in labels.items():
        if key not in entry.labels:
            entry.labels[key] = value
    if not entry.HasField("timestamp"):
        entry.timestamp.FromNanoseconds(received_ns + index)
    entry.insert_id = entry.insert_id or f"{received_ns:016x}{index:06x}"


def _judge(entry: Any, project: str) -> None:
    name = _LOG_NAME.fullmatch(entry.log_name)
    if name is None:
        raise invalid(f"Invalid log name: {entry.log_name!r}")
    if name["project"] != project:
        text = f"Permission 'logging.logEntries.create' denied on resource (or it may not exist): {name[0]}"
        raise RequestError(grpc.StatusCode.PERMISSION_DENIED, text)
    if not entry.resource.type:
        raise invalid("A log entry must have a monitored resource")
    size = entry.ByteSize()
    if size > LARGEST_ENTRY_BYTES:
        limit = LARGEST_ENTRY_BYTES / 1024
        raise invalid(f"Log entry with size {size / 1024:.1f}K exceeds maximum size of {limit:.1f}K")
