"""The two methods of the Logging API, and the server that offers them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.logging_v2.types import ListLogEntriesRequest, WriteLogEntriesRequest
from grpc_status import rpc_status

from pipeline.local.cloud_logging.encoding import encode_page
from pipeline.local.cloud_logging.errors import RequestError, quota_exceeded
from pipeline.local.cloud_logging.quota import ReadQuota
from pipeline.local.cloud_logging.reading import make_token, names_project, read_query
from pipeline.local.cloud_logging.settings import Settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.writing import sort_entries

SERVICE = "google.logging.v2.LoggingServiceV2"
# After this a page ends where it is: "it did not have time to search all the entries", and the
# client goes on with its token (ListLogEntriesResponse.next_page_token).
SEARCH_S = 5.0
_LARGEST_REQUEST_BYTES = 10 * 1024 * 1024  # "Quotas and limits": size of an entries.write request
_THREADS = 16
_WRITTEN = b""  # a WriteLogEntriesResponse: it has no fields


@dataclass(frozen=True, slots=True)
class LoggingService:
    """Answers requests out of one store. `search_s` bounds the search for one page."""

    settings: Settings
    store: EntryStore
    quota: ReadQuota
    search_s: float = SEARCH_S
    now_ns: Callable[[], int] = field(default=time.time_ns)

    def write(self, request: Any, _context: Any = None) -> bytes:
        """WriteLogEntries; raises `RequestError`."""
        entries = sort_entries(request, self.settings.project, self.now_ns())
        kept = entries.check(partial_success=request.partial_success)
        if not request.dry_run:
            self.store.add(kept)
        error = entries.to_error()
        if error:
            raise error
        return _WRITTEN

    def list(self, request: Any, context: Any) -> bytes:
        """ListLogEntries; raises `RequestError`."""
        if not self.quota.take(time.monotonic()):
            raise quota_exceeded(self.settings.project, self.quota.per_minute)
        is_ours = names_project(request, self.settings.project)
        query = read_query(request, self.now_ns() - int(self.settings.ingestion_delay_s * 1e9))
        if not is_ours:
            return b""
        deadline = time.monotonic() + self.search_s
        page = self.store.search(query, lambda: context.is_active() and time.monotonic() < deadline)
        return encode_page(page.entries, make_token(request, page.resume) if page.resume else "")


def build_server(service: LoggingService) -> tuple[grpc.Server, int]:
    """The server, not yet started, and its port; raises `RuntimeError` if the port is taken."""
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix="rpc"),
        options=(
            ("grpc.max_receive_message_length", _LARGEST_REQUEST_BYTES),
            ("grpc.so_reuseport", 0),  # else a second server would share the port and its entries be lost
        ),
    )
    methods = {
        "WriteLogEntries": _handler(service.write, WriteLogEntriesRequest.pb()),
        "ListLogEntries": _handler(service.list, ListLogEntriesRequest.pb()),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    listen = service.settings.listen
    return server, server.add_insecure_port(f"{listen.host}:{listen.port}")


def _handler(method: Callable[[Any, Any], bytes], request_message: Any) -> Any:
    """A method whose `RequestError` becomes the call's status, details included."""

    def answer(request: Any, context: Any) -> bytes:
        try:
            return method(request, context)
        except RequestError as error:
            context.abort_with_status(rpc_status.to_status(error.to_status()))
            raise  # never reached: aborting raises

    return grpc.unary_unary_rpc_method_handler(answer, request_deserializer=request_message.FromString)
