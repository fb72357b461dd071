"""A write request -> the entries to keep, and the refusals of the others.

Limits: "Quotas and limits" of the Cloud Logging documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors

from pipeline.local.cloud_logging.encoding import encode_entry
from pipeline.local.cloud_logging.errors import (
    WRITE_PERMISSION,
    RequestError,
    invalid,
    permission_denied,
)
from pipeline.local.cloud_logging.store import StoredEntry

LARGEST_ENTRY_BYTES = 256 * 1024
LARGEST_REQUEST_BYTES = 10 * 1024 * 1024
MOST_LABELS = 64
LONGEST_LABEL_KEY, LONGEST_LABEL_VALUE = 512, 64 * 1024  # bytes; longer ones are cut
FARTHEST_FUTURE_NS = 86_400 * 10**9
LOG_NAME = re.compile(r"projects/(?P<project>[^/]+)/logs/(?:[A-Za-z0-9_.-]|%2[Ff]){1,511}")


@dataclass(slots=True)
class Sorted:
    """The entries of one request: those that can be taken, and why the others cannot, by index."""

    taken: list[StoredEntry] = field(default_factory=list)
    refused: dict[int, RequestError] = field(default_factory=dict)

    def check(self, *, partial_success: bool) -> list[StoredEntry]:
        """What is taken of the whole request: all of it or nothing, unless `partial_success`.

        Raises:
            RequestError: nothing is taken.
        """
        if self.refused and not (partial_success and self.taken):
            raise next(iter(self.refused.values()))
        return self.taken

    def to_error(self) -> RequestError | None:
        """After a partial success: one refusal's status, with all of them in its details."""
        if not self.refused:
            return None
        first = next(iter(self.refused.values()))
        errors = WriteLogEntriesPartialErrors.pb()()
        for index, error in self.refused.items():
            errors.log_entry_errors[index].CopyFrom(error.to_status())
        return RequestError(first.code, str(first), (errors,))


@dataclass(frozen=True, slots=True)
class Intake:
    """What is taken of any request.

    Attributes:
        projects: whose entries are taken.
        denied: of these, the projects that the caller may not write to.
        oldest_ns: entries from before it are taken, and not kept; None: all are.
    """

    projects: frozenset[str]
    denied: frozenset[str] = frozenset()
    oldest_ns: int | None = None

    def is_kept(self, entry: StoredEntry) -> bool:
        """Whether an entry that was taken can ever be read."""
        return self.oldest_ns is None or entry.position[0] >= self.oldest_ns


def sort_entries(request: Any, intake: Intake, received_ns: int) -> Sorted:
    """Complete each entry of a ``WriteLogEntriesRequest`` from the request's defaults, and judge it.

    Raises:
        RequestError: the request is too large.
    """
    if request.ByteSize() > LARGEST_REQUEST_BYTES:
        raise invalid(f"Request payload size exceeds the limit: {LARGEST_REQUEST_BYTES} bytes.")
    result = Sorted()
    for index, entry in enumerate(request.entries):
        _complete(entry, request, received_ns, index)
        try:
            project = _judge(entry, intake, received_ns)
            result.taken.append(encode_entry(entry, project, received_ns))
        except RequestError as error:
            result.refused[index] = error
        except ValueError as error:
            # a time out of range, or a number that JSON does not have
            result.refused[index] = invalid(f"Log entry has an invalid value: {error}")
    return result


def _complete(entry: Any, request: Any, received_ns: int, index: int) -> None:
    """Fill in what is missing; by `index`, earlier entries of a request sort before later ones."""
    # the service drops a slash that goes before, and so does no filter find it again
    entry.log_name = (entry.log_name or request.log_name).removeprefix("/")
    if not entry.HasField("resource") and request.HasField("resource"):
        entry.resource.CopyFrom(request.resource)
    labels: Mapping[str, str] = request.labels
    for key, value in labels.items():
        if key not in entry.labels:
            entry.labels[key] = value
    _cut_labels(entry)
    if not entry.HasField("timestamp"):
        entry.timestamp.FromNanoseconds(received_ns + index)
    entry.insert_id = entry.insert_id or f"{received_ns:016x}{index:06x}"


def _cut_labels(entry: Any) -> None:
    for key, value in list(entry.labels.items()):
        short, cut = _cut(key, LONGEST_LABEL_KEY), _cut(value, LONGEST_LABEL_VALUE)
        if short != key:
            del entry.labels[key]
        if (short, cut) != (key, value):
            entry.labels[short] = cut


def _cut(text: str, most_bytes: int) -> str:
    if len(text) * 4 <= most_bytes:
        return text
    return text.encode()[:most_bytes].decode("utf-8", "ignore")


def _judge(entry: Any, intake: Intake, received_ns: int) -> str:
    """The project of an entry that can be taken; raises `RequestError`."""
    name = LOG_NAME.fullmatch(entry.log_name)
    if name is None:
        raise invalid(f"Invalid log name: {entry.log_name!r}")
    project = name["project"]
    if project not in intake.projects or project in intake.denied:
        raise permission_denied(WRITE_PERMISSION)
    if not entry.resource.type:
        raise invalid("A log entry must have a monitored resource")
    if len(entry.labels) > MOST_LABELS:
        raise invalid(f"Log entry has {len(entry.labels)} labels, more than {MOST_LABELS}")
    size = entry.ByteSize()
    if size > LARGEST_ENTRY_BYTES:
        limit = LARGEST_ENTRY_BYTES / 1024
        raise invalid(f"Log entry with size {size / 1024:.1f}K exceeds maximum size of {limit:.1f}K")
    if entry.timestamp.ToNanoseconds() > received_ns + FARTHEST_FUTURE_NS:
        raise invalid("Log entry has a timestamp more than 24 hours in the future")
    return project
