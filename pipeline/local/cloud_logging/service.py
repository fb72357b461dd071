"""The methods of the Logging API, and the server that offers them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.logging_v2.types import (
    DeleteLogRequest,
    ListLogEntriesRequest,
    ListLogsRequest,
    TailLogEntriesRequest,
    WriteLogEntriesRequest,
)
from grpc_status import rpc_status

from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.encoding import encode_page
from pipeline.local.cloud_logging.errors import (
    DELETE_PERMISSION,
    LIST_PERMISSION,
    RequestError,
    no_log,
    permission_denied,
)
from pipeline.local.cloud_logging.logs import encode_names, read_log
from pipeline.local.cloud_logging.reading import Reach, make_token, read_filter, read_projects, read_query
from pipeline.local.cloud_logging.settings import Settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.tailing import Sessions, Wish, read_buffer
from pipeline.local.cloud_logging.writing import LARGEST_REQUEST_BYTES, Intake, sort_entries

SERVICE = "google.logging.v2.LoggingServiceV2"
_UNARY_THREADS = 16
# a session holds a thread for as long as it lasts
_TAIL_THREADS = 16
_QUOTA_PROJECT = "x-goog-user-project"
_WRITTEN = _DELETED = b""  # a WriteLogEntriesResponse, and an Empty: they have no fields
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class LoggingService:
    """Answers requests out of one store, as its switches say."""

    settings: Settings
    store: EntryStore
    board: Switchboard = field(default_factory=Switchboard)
    now_ns: Callable[[], int] = field(default=time.time_ns)
    sessions: Sessions = field(default_factory=Sessions)

    def write(self, request: Any, context: Any = None) -> bytes:
        """WriteLogEntries; raises `RequestError`."""
        self.board.admit_write(self._find_payer(context), context)
        switches, now_ns = self.board.switches, self.now_ns()
        intake = Intake(frozenset(self.settings.projects), switches.denied, self._oldest_ns(now_ns))
        entries = sort_entries(request, intake, now_ns)
        taken = entries.check(partial_success=request.partial_success)
        if not request.dry_run:
            arrived = self.store.add(filter(intake.is_kept, taken))
            self.sessions.publish(arrived, self._delay_ns)
        error = entries.to_error()
        if error:
            raise error
        return _WRITTEN

    def list(self, request: Any, context: Any) -> bytes:
        """ListLogEntries; raises `RequestError`."""
        self.board.admit_read(self._find_payer(context), context)
        projects = self._read_projects(request)
        switches, now_ns = self.board.switches, self.now_ns()
        reach = Reach(projects, self._oldest_ns(now_ns), now_ns - self._delay_ns, switches.page_bytes)
        query = read_query(request, reach)
        if not projects:
            return b""
        deadline = time.monotonic() + switches.search_s
        page = self.store.search(query, lambda: context.is_active() and time.monotonic() < deadline)
        return encode_page(page.entries, make_token(request, page.resume) if page.resume else "")

    def list_logs(self, request: Any, context: Any) -> bytes:
        """ListLogs; raises `RequestError`."""
        self.board.admit_read(self._find_payer(context), context)
        if request.parent:
            request.resource_names.append(request.parent)
        projects = self._read_projects(request)
        return encode_names(request, self.store.name_logs(projects, self._oldest_ns(self.now_ns())))

    def delete_log(self, request: Any, context: Any) -> bytes:
        """DeleteLog; raises `RequestError`."""
        self.board.admit_write(self._find_payer(context), context)
        log, project = read_log(request)
        if project not in self.settings.projects or project in self.board.switches.denied:
            raise permission_denied(DELETE_PERMISSION)
        if not self.store.remove(log):
            raise no_log(log)
        return _DELETED

    def tail(self, requests: Iterator[Any], context: Any) -> Iterator[bytes]:
        """TailLogEntries, by the first request of the stream; raises `RequestError`."""
        request = next(requests, None)
        if request is None:
            return
        self.board.admit_read(self._find_payer(context), context)
        projects = self._read_projects(request)
        wish = Wish(projects, read_filter(request.filter).matches, read_buffer(request))
        session = self.sessions.open(wish, min(self.board.switches.tail_sessions, _TAIL_THREADS))
        if not context.add_callback(lambda: self.sessions.end(session)):
            self.sessions.end(session)
        yield from session.responses(lambda: self.board.switches.tail_entries_per_minute)

    def _read_projects(self, request: Any) -> frozenset[str]:
        """The projects whose entries the request is for.

        Raises:
            RequestError: one that is named is denied, or not ours; nobody is told which, nor which of both.
        """
        named = read_projects(request)
        if not named.projects.issubset(self.settings.projects):
            raise permission_denied(LIST_PERMISSION)
        self.board.check_readable(named.projects)
        sent = (source for source, place in self.board.switches.routes if place in named.viewed)
        return named.projects.union(sent)

    def _find_payer(self, context: Any) -> str:
        """Whose quota is spent, and no other's: the project that the client names, else the first of ours."""
        sent = context.invocation_metadata() or () if context is not None else ()
        named = next((value for key, value in sent if key == _QUOTA_PROJECT), "")
        return named if named in self.settings.projects else self.settings.projects[0]

    @property
    def _delay_ns(self) -> int:
        return int(self.board.switches.ingestion_delay_s * 1e9)

    def _oldest_ns(self, now_ns: int) -> int | None:
        days = self.board.switches.retention_days
        return now_ns - int(days * _DAY_NS) if days else None


def build_server(service: LoggingService) -> tuple[grpc.Server, int]:
    """The server, not yet started, and its port; raises `RuntimeError` if the port is taken."""
    server = grpc.server(
        ThreadPoolExecutor(_UNARY_THREADS + _TAIL_THREADS, thread_name_prefix="rpc"),
        options=(
            # a larger request is refused in the service's own words; see sort_entries
            ("grpc.max_receive_message_length", 2 * LARGEST_REQUEST_BYTES),
            ("grpc.so_reuseport", 0),  # else a second server would share the port and its entries be lost
        ),
    )
    methods = {
        "WriteLogEntries": _unary(service.write, WriteLogEntriesRequest.pb()),
        "ListLogEntries": _unary(service.list, ListLogEntriesRequest.pb()),
        "ListLogs": _unary(service.list_logs, ListLogsRequest.pb()),
        "DeleteLog": _unary(service.delete_log, DeleteLogRequest.pb()),
        "TailLogEntries": _stream(service.tail, TailLogEntriesRequest.pb()),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    listen = service.settings.listen
    return server, server.add_insecure_port(f"{listen.host}:{listen.port}")


def _unary(method: Callable[[Any, Any], bytes], request_message: Any) -> Any:
    """A method whose `RequestError` becomes the call's status, details included."""

    def answer(request: Any, context: Any) -> bytes:
        try:
            return method(request, context)
        except RequestError as error:
            context.abort_with_status(rpc_status.to_status(error.to_status()))
            raise  # never reached: aborting raises

    return grpc.unary_unary_rpc_method_handler(answer, request_deserializer=request_message.FromString)


def _stream(method: Callable[[Iterator[Any], Any], Iterator[bytes]], request_message: Any) -> Any:
    """As `_unary`, of a method with streams both ways."""

    def answer(requests: Iterator[Any], context: Any) -> Iterator[bytes]:
        try:
            yield from method(requests, context)
        except RequestError as error:
            context.abort_with_status(rpc_status.to_status(error.to_status()))

    return grpc.stream_stream_rpc_method_handler(answer, request_deserializer=request_message.FromString)
