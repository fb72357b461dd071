"""One look at a project's entries, newest first, to see whether and what can be read at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import grpc
from google.api_core import exceptions
from google.cloud.logging_v2.types import ListLogEntriesRequest

from diag import lql
from diag.errors import SourceError
from diag.model.filters import And
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.model.settings import ClusterSettings, LoggingSettings
from diag.model.window import Window
from diag.sources.cloud_logging.client import connect, explain
from diag.sources.cloud_logging.entries import to_json_form
from diag.sources.cloud_logging.filters import build_frame
from diag.sources.cloud_logging.patience import PERMISSION_TRIES, PERMISSION_WAIT_S

_MOST_PAGES = 5


@dataclass(frozen=True, slots=True)
class Visit:
    """What one look gave.

    Attributes:
        entries: the newest of the window, newest first.
        has_more: not all of the window was searched, or there are older ones in it.
        asked_ns: our clock when the last request left.
        answered_ns: our clock when its answer was there.
        service_ns: the service's clock in between, to the second below; None where it did not tell.
    """

    entries: tuple[LogRecord, ...]
    has_more: bool
    asked_ns: int
    answered_ns: int
    service_ns: int | None


def look(
    settings: LoggingSettings, cluster: ClusterSettings, window: Window, most: int, timeout_s: float
) -> Visit:
    """At most `most` (1 to 1000) entries of containers in `window`; raises `DiagError`.

    `cluster` narrows the look as it would narrow a session's.
    """
    client = connect(settings)
    text = lql.to_text(And(build_frame(window, cluster)))
    try:
        return _follow(client.transport.list_log_entries, settings, text, most, timeout_s)
    finally:
        client.transport.close()  # type: ignore[no-untyped-call]  # it has no types


def _follow(method: Any, settings: LoggingSettings, text: str, most: int, timeout_s: float) -> Visit:
    """An empty page with a token is not the end: the service ran out of time, not of entries."""
    token, ends_s = "", time.monotonic() + timeout_s
    for _ in range(_MOST_PAGES):
        request = ListLogEntriesRequest(
            resource_names=[one.name for one in settings.resources],
            filter=text,
            order_by="timestamp desc",
            page_size=most,
            page_token=token,
        )
        visit, token = _ask(method, request, settings, ends_s)
        if visit.entries or not token:
            return visit
    return visit


def _ask(
    method: Any, request: ListLogEntriesRequest, settings: LoggingSettings, ends_s: float
) -> tuple[Visit, str]:
    for left in reversed(range(PERMISSION_TRIES)):
        asked_ns = time.time_ns()
        try:
            page, call = method.with_call(request, timeout=max(0.1, ends_s - time.monotonic()))
        except grpc.RpcError as error:
            problem = exceptions.from_grpc_error(error)  # type: ignore[no-untyped-call]  # as above
            if isinstance(problem, exceptions.DeadlineExceeded):
                raise _say_late(settings) from error
            if not (left and isinstance(problem, exceptions.Forbidden)):
                raise explain(problem, settings) from error
            time.sleep(PERMISSION_WAIT_S)
        else:
            break
    records = tuple(LogRecord(to_json_form(entry), source="cloud-logging") for entry in page.entries)
    visit = Visit(records, bool(page.next_page_token), asked_ns, time.time_ns(), _date_of(call))
    return visit, page.next_page_token


def _say_late(settings: LoggingSettings) -> SourceError:
    """One page of few entries is late: that is the way there, and nothing that a smaller window mends."""
    where = settings.endpoint or "logging.googleapis.com"
    return SourceError(
        f"Cloud Logging at {where} did not answer in time", hint="check --logging-endpoint and the network"
    )


def _date_of(call: Any) -> int | None:
    """The ``date`` that Google's front end sends with every answer."""
    text = next((value for key, value in call.initial_metadata() or () if key == "date"), None)
    try:
        return (
            None if text is None else int(parsedate_to_datetime(text).astimezone(UTC).timestamp()) * NS_PER_S
        )
    except (TypeError, ValueError):
        return None
