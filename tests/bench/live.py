"""Cloud Logging's protocol on this machine: diag's reader beside Google's client, on the same entries.

    python -m tests.bench.live [--entries N] [--runs N]

Two ratios are told: of ``Client.list_entries``, each entry as a dict, to diag's source, each as a record; and
where every answer takes 200 ms, of diag's source to what eight answers at once would need at least. Run in
turn, in this process; the server is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud.logging_v2 import Client, _gapic
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.json_format import ParseDict

from diag.catalogue import load_catalogue
from diag.model.instants import NS_PER_S, format_instant
from diag.model.queries import LogQuery
from diag.model.settings import ClusterSettings, LoggingSettings
from diag.model.window import Window
from diag.sources.cloud_logging import CloudLogging
from tests.bench.many import make_window
from tests.cases import START_NS

PROJECT = "p"
LATENCY_S = 0.2
AT_ONCE = 8
PROMISED_RATIO, PROMISED_LIMIT = 3.0, 1.3
_LEAST_OF_SESSION = 50
"""Entries that the corpus has of each session, at the least."""
_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@dataclass(frozen=True)
class Server:
    """A server of its own process, with the entries of `window`."""

    address: str
    switches: str
    window: Window

    def switch(self, **changes: Any) -> None:
        """Change its behaviour."""
        place = urlsplit(self.switches)
        connection = HTTPConnection(place.netloc, timeout=10)
        connection.request("PATCH", place.path, json.dumps(changes))
        if connection.getresponse().status != 200:
            raise RuntimeError("the server takes no such switch")

    def connect(self) -> LoggingServiceV2Client:
        """Google's generated client."""
        channel = grpc.insecure_channel(self.address, options=_OPTIONS)
        return LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))


@contextmanager
def serve(entries: int) -> Iterator[Server]:
    """A server with so many entries, evenly over an hour; ended at the end."""
    command = (sys.executable, "-m", "pipeline.local.cloud_logging", "--google-cloud-project", PROJECT)
    flags = ("--port", "0", "--admin-port", "0")
    with subprocess.Popen((*command, *flags), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        address, switches = (process.stderr.readline().strip().rpartition(" ")[2] for _ in range(2))
        server = Server(address, switches, Window(START_NS, START_NS + 3600 * NS_PER_S))
        _fill(server, entries)
        try:
            yield server
        finally:
            process.terminate()


def _fill(server: Server, entries: int) -> None:
    """The corpus of `tests.bench.many`: sessions side by side, each line with values of its own."""
    client, step_ns = server.connect(), 3600 * NS_PER_S // entries
    lines = islice(make_window(entries // _LEAST_OF_SESSION + 1), entries)
    for first in range(0, entries, 1000):
        batch = []
        for number, line in enumerate(islice(lines, 1000), first):
            entry = ParseDict(line, LogEntry.pb()())
            entry.insert_id = f"i{number:07d}"
            entry.timestamp.FromNanoseconds(START_NS + number * step_ns)
            batch.append(LogEntry.wrap(entry))
        client.write_log_entries(entries=batch)


def read_with_google(server: Server) -> int:
    """``Client.list_entries``, as its documentation shows it; gives the number of entries."""
    client = Client(project=PROJECT, credentials=AnonymousCredentials(), _use_grpc=True)
    client._logging_api = _gapic._LoggingAPI(server.connect(), client)
    start, end = (format_instant(at) for at in (server.window.start_ns, server.window.end_ns))
    text = f'resource.type="k8s_container" timestamp>="{start}" timestamp<"{end}"'
    return sum(bool(entry.to_api_repr()) for entry in client.list_entries(filter_=text, page_size=1000))


def read_with_diag(server: Server) -> int:
    """The source as a command reads it, without the quota's waiting."""
    settings = LoggingSettings(
        project=PROJECT, endpoint=f"http://{server.address}", quota=100_000, max_pages=100_000
    )
    source = CloudLogging(settings, ClusterSettings(), load_catalogue())

    async def read() -> int:
        return sum([len(batch) async for batch in source.read(LogQuery(server.window))])

    return asyncio.run(read())


@dataclass(frozen=True)
class Taken:
    """What one way of reading took: seconds, and of them this process's processor time."""

    wall_s: float
    processor_s: float


def measure(server: Server, entries: int, runs: int, *reads: Callable[[Server], int]) -> list[Taken]:
    """The medians of each, run in turn after one round to warm up."""
    wall: list[list[float]] = [[] for _ in reads]
    processor: list[list[float]] = [[] for _ in reads]
    for round_number in range(runs + 1):
        for number, read in enumerate(reads):
            begin, begin_processor = time.perf_counter(), time.process_time()
            if read(server) != entries:
                raise RuntimeError("not every entry was read")
            if round_number:
                wall[number].append(time.perf_counter() - begin)
                processor[number].append(time.process_time() - begin_processor)
    return [Taken(median(one), median(other)) for one, other in zip(wall, processor, strict=True)]


def main() -> None:
    """Measure, print the rows and the ratios that are promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with serve(options.entries) as server:
        google, ours = measure(server, options.entries, options.runs, read_with_google, read_with_diag)
        server.switch(latency_s=LATENCY_S)
        (slow,) = measure(server, options.entries, options.runs, read_with_diag)
    pages = -(-options.entries // 1000)
    limit = LATENCY_S * (1 + -(-(pages - 1) // AT_ONCE))
    for name, taken in (("Client.list_entries", google), ("diag's source", ours)):
        print(f"{name:<22} {taken.wall_s:8.2f} s, {taken.processor_s:8.2f} s of the processor")
    print(
        f"ratio {google.wall_s / ours.wall_s:.1f}, of the processor {google.processor_s / ours.processor_s:.1f} "
        f"(promised: at least {PROMISED_RATIO:g})"
    )
    print(
        f"with {LATENCY_S * 1000:.0f} ms an answer {slow.wall_s:.2f} s; {AT_ONCE} at once need {limit:.2f} s and the work"
    )
    print(f"ratio {slow.wall_s / (limit + ours.wall_s):.2f} (promised: at most {PROMISED_LIMIT:g})")


if __name__ == "__main__":
    main()
