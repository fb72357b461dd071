"""Diag's own reader and the local Cloud Logging server that it reads from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.json_format import MessageToDict, ParseDict

from diag.catalogue import load_catalogue
from diag.model.settings import ClusterSettings, LoggingSettings, Settings
from diag.sources.cloud_logging import CloudLogging
from pipeline.local.cloud_logging import settings as server_settings
from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.errors import RequestError
from pipeline.local.cloud_logging.service import LoggingService, build_server
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.switches import Switches
from pipeline.wire.environment import Listen
from tests.cases import DEFAULTS, to_entry

PROJECT = "p"
CLUSTER = ClusterSettings(namespace="voice")
S = DEFAULTS["S"]


@dataclass
class Server:
    """A running server of one project.

    Attributes:
        board: its switches.
        filters: of every request for entries that came, in order, page by page.
        refusals: the next requests are refused with these, one after another.
    """

    address: str
    board: Switchboard = field(default_factory=Switchboard)
    filters: list[str] = field(default_factory=list)
    refusals: list[RequestError] = field(default_factory=list)

    def write(self, entries: list[dict]) -> None:
        """Entries in their JSON form, through the official client."""
        with grpc.insecure_channel(self.address) as channel:
            client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
            for start in range(0, len(entries), 1000):
                batch = [
                    LogEntry.wrap(ParseDict(one, LogEntry.pb()())) for one in entries[start : start + 1000]
                ]
                client.write_log_entries(entries=batch)

    def list(self, filter_: str) -> list[dict]:
        """What matches `filter_`, in its JSON form."""
        request = {"resource_names": [f"projects/{PROJECT}"], "filter": filter_, "page_size": 1000}
        with grpc.insecure_channel(self.address) as channel:
            client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
            return [MessageToDict(LogEntry.pb(entry)) for entry in client.list_log_entries(request=request)]

    def source(self, **settings) -> CloudLogging:
        """What diag reads it with."""
        return CloudLogging(self.settings(**settings).logging, CLUSTER, load_catalogue())

    def settings(self, **settings) -> Settings:
        """What a command needs to find it."""
        return self.settings_at(self.address, **settings)

    @staticmethod
    def settings_at(address: str, **settings) -> Settings:
        """What a command needs to find it at an address that leads to it."""
        logging = LoggingSettings(project=PROJECT, endpoint=f"http://{address}", **settings)
        return Settings(logging=logging, cluster=CLUSTER)


@dataclass(frozen=True)
class _Watched(LoggingService):
    """The service, and an account of what it is asked."""

    filters: list[str] = field(default_factory=list)
    refusals: list[RequestError] = field(default_factory=list)

    def list(self, request, context):
        self.filters.append(request.filter)
        if self.refusals:
            raise self.refusals.pop(0)
        return LoggingService.list(self, request, context)


@contextmanager
def run_server(projects: tuple[str, ...] = (PROJECT,), **switches: Any) -> Iterator[Server]:
    """A server that is stopped at the end."""
    settings = server_settings.Settings(Listen("127.0.0.1", 0), projects)
    service = _Watched(settings, EntryStore(), Switchboard(Switches(**switches)))
    server, port = build_server(service)
    server.start()
    try:
        yield Server(f"127.0.0.1:{port}", service.board, service.filters, service.refusals)
    finally:
        server.stop(None).wait()


def lines(count: int, session: str = S, first: int = 0) -> list[dict]:
    return [
        to_entry(
            f"{n // 60:02d}:{n % 60:02d}.000 media-server info Audio published to Kafka successfully :: sessionID={session}",
            n,
        )
        for n in range(first, first + count)
    ]
