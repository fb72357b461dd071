"""``diag doctor`` against real parts: the local Cloud Logging server, a server of every failure, a token service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import ListLogEntriesResponse, LogEntry
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import ParseDict
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from diag.app.doctor import DoctorRequest, examine
from diag.app.doctor import google as google_probes
from diag.cli.exits import of_checkup
from diag.model.checkup import Checkup, Health, TerminalFacts
from diag.model.instants import NS_PER_S
from diag.render.doctor import render_checkup
from diag.sources.cloud_logging import visit
from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.service import SERVICE, LoggingService, build_server
from pipeline.local.cloud_logging.settings import Settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.switches import Switches
from pipeline.wire.environment import Listen
from tests.cases import START_NS, to_entry

NOW_NS = START_NS + 600 * NS_PER_S
PROJECT = "p"


def ask(address: str, **flags: str) -> Checkup:
    """The doctor's answer for a project there."""
    named = {"logging.project": PROJECT, "logging.endpoint": f"http://{address}", **flags}
    return examine(DoctorRequest(named, {}, None, TerminalFacts(None, "utf-8", False), NOW_NS))


@pytest.fixture
def serve(workdir: Path) -> Iterator[Callable[..., str]]:
    """`serve(entries)`: the local server with these entries, stopped after the test; gives its address."""
    running: list[grpc.Server] = []

    def start(entries: list[dict], **switches: int) -> str:
        settings = Settings(Listen("127.0.0.1", 0), (PROJECT, "q"))
        service = LoggingService(settings, EntryStore(), Switchboard(Switches(**switches)))
        server, port = build_server(service)
        server.start()
        running.append(server)
        if entries:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
                client.write_log_entries(
                    entries=[LogEntry.wrap(ParseDict(one, LogEntry.pb()())) for one in entries]
                )
        return f"127.0.0.1:{port}"

    yield start
    for server in running:
        server.stop(None).wait()


@pytest.fixture
def answer(workdir: Path) -> Iterator[Callable[..., str]]:
    """`answer(with_)`: a server that does to every request what `with_(context)` does; gives its address."""
    running: list[grpc.Server] = []

    def start(with_: Callable[[Any], bytes]) -> str:
        server = grpc.server(ThreadPoolExecutor(4))
        handler = grpc.unary_unary_rpc_method_handler(lambda _request, context: with_(context))
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {"ListLogEntries": handler}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        running.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in running:
        server.stop(None).wait()


def refuse(code: grpc.StatusCode, text: str, reason: str = "") -> Callable[[Any], bytes]:
    def abort(context: Any) -> bytes:
        detail = AnyMessage()
        detail.Pack(ErrorInfo(reason=reason, domain="googleapis.com"))
        status = Status(code=code.value[0], message=text, details=[detail] if reason else [])
        context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError

    return abort


def entry(second: int, service: str = "orchestrator", **labels: str) -> dict:
    one = to_entry(f"00:{second:02d}.000 {service} info Session started", second)
    one["resource"]["labels"].update(labels)
    return one


def test_a_project_that_can_be_read_is_all_right(serve) -> None:
    """Credentials are not needed there; services are named, and what was not seen is no accusation."""
    checkup = ask(serve([entry(1), entry(2, "media-server")]), **{"cluster.namespace": "voice"})

    assert checkup.find("credentials").state is Health.OK
    assert checkup.find("log-entries").state is Health.OK
    export = checkup.find("log-export")
    assert export.state is Health.OK
    assert "2 entries of voice in the last hour" in export.evidence
    assert "media-server, orchestrator" in export.evidence
    assert "not seen: " in export.evidence
    assert checkup.find("clock").state is Health.OK
    assert of_checkup(checkup) == 0


def test_each_of_several_projects_is_told(serve) -> None:
    """One that may not be read is named with the right that is missing; a session is judged without it."""
    both, one = "p,q", "p,nobody"
    address = serve([entry(1), entry(2, "media-server")])

    well = ask(address, **{"logging.project": both}).find("log-entries")
    checkup = ask(address, **{"logging.project": one})

    assert well.state is Health.OK
    assert "project p: entries can be listed" in well.evidence
    assert "project q: entries can be listed; there is none of the last hour" in well.evidence
    short = checkup.find("log-entries")
    assert (short.state, short.partial) == (Health.WARNING, True)
    assert "project p: entries can be listed" in short.evidence
    assert "reading project 'nobody' is not allowed" in short.evidence
    assert "logging.logEntries.list" in short.evidence
    assert "roles/logging.viewer" in short.remedy
    assert "media-server, orchestrator" in checkup.find("log-export").evidence


def test_where_no_project_can_be_read_each_is_told(serve) -> None:
    """Who grants a right for the first one should not have to ask again to hear of the second."""
    found = ask(serve([]), **{"logging.project": "nobody,noone"}).find("log-entries")

    assert found.state is Health.FAILED
    assert "reading project 'nobody' is not allowed" in found.evidence
    assert "reading project 'noone' is not allowed" in found.evidence
    assert "roles/logging.viewer" in found.remedy


def test_entries_elsewhere_are_named_where_the_namespace_has_none(serve) -> None:
    """A slip in a name is the commonest reason; exit 5, since a session would find nothing."""
    checkup = ask(serve([entry(1), entry(2, namespace_name="other")]), **{"cluster.namespace": "vioce"})
    export = checkup.find("log-export")

    assert export.state is Health.WARNING
    assert "no entry of vioce in the last hour" in export.evidence
    assert "there are some of other, voice" in export.evidence
    assert "--namespace" in export.remedy
    assert of_checkup(checkup) == 5


def test_no_entries_at_all_are_a_warning_with_what_to_check(serve) -> None:
    """The right to list them is there all the same; without an entry no clock is judged."""
    checkup = ask(serve([]))

    assert checkup.find("log-entries").state is Health.OK
    assert checkup.find("log-export").state is Health.WARNING
    assert "loggingConfig" in checkup.find("log-export").remedy
    assert checkup.find("clock").state is Health.NOT_ASKED


def test_services_that_nobody_described_are_a_warning(serve) -> None:
    """With the command that describes them."""
    foreign = entry(1, "gateway")
    foreign["jsonPayload"] = {"msg": "call accepted"}
    foreign["resource"]["labels"]["container_name"] = "gateway"
    foreign["resource"]["labels"]["pod_name"] = "gateway-6d5f7c9b8-x2x4z"
    foreign["labels"] = {}
    export = ask(serve([foreign])).find("log-export")

    assert export.state is Health.WARNING
    assert "diag catalogue learn" in export.remedy


def test_a_quota_that_is_spent_is_told(serve) -> None:
    """It is another reader's, or ours."""
    found = ask(serve([entry(1)], read_requests_per_minute=1)).find("log-export")

    assert found.state is Health.FAILED
    assert "quota" in found.evidence
    assert "wait" in found.remedy


_PLUGIN = "Getting metadata from plugin failed with error: ('invalid_grant: Bad Request', {})"


@pytest.mark.parametrize(
    ("refusal", "evidence", "remedy"),
    [
        (refuse(grpc.StatusCode.PERMISSION_DENIED, "no"), "not allowed", "roles/logging.viewer"),
        (
            refuse(grpc.StatusCode.PERMISSION_DENIED, "it is disabled", "SERVICE_DISABLED"),
            "switched off",
            "gcloud services enable logging.googleapis.com --project p",
        ),
        (refuse(grpc.StatusCode.UNAUTHENTICATED, "Expired"), "credentials are refused", "gcloud auth"),
        (refuse(grpc.StatusCode.NOT_FOUND, "no such project"), "refuses the query", "--project"),
        (refuse(grpc.StatusCode.UNAVAILABLE, _PLUGIN), "no usable credentials", "gcloud auth"),
        (refuse(grpc.StatusCode.INTERNAL, "\x1b[31mboo\u202e" + "x" * 900), "does not answer", "network"),
    ],
    ids=["rights", "api", "token", "project", "plugin", "hostile"],
)
def test_every_refusal_is_told_with_what_to_do(
    answer, monkeypatch, refusal: Callable[[Any], bytes], evidence: str, remedy: str
) -> None:
    """In the service's words, made harmless; exit 4, and what needs it is not tried."""
    monkeypatch.setattr(visit, "PERMISSION_WAIT_S", 0.01)
    checkup = ask(answer(refusal))
    found = checkup.find("log-entries")

    assert found.state is Health.FAILED
    assert evidence in found.evidence
    assert remedy in found.remedy
    assert checkup.find("log-export").state is checkup.find("clock").state is Health.NOT_ASKED
    assert of_checkup(checkup) == 4
    assert all(line.isprintable() and len(line) <= 80 for line in render_checkup(checkup).plain.splitlines())


def test_one_refusal_that_passes_is_no_refusal(answer, monkeypatch) -> None:
    """A project with many log views answers 403 now and then."""
    monkeypatch.setattr(visit, "PERMISSION_WAIT_S", 0.01)
    denied = refuse(grpc.StatusCode.PERMISSION_DENIED, "now and then")
    times = iter([True])

    def now_and_then(context: Any) -> bytes:
        return denied(context) if next(times, False) else b""

    assert ask(answer(now_and_then)).find("log-entries").state is Health.OK


def test_a_search_that_was_not_finished_claims_no_absence(answer) -> None:
    """An empty page with a token means that the service ran out of time, not of entries."""
    page = ListLogEntriesResponse.serialize(ListLogEntriesResponse(next_page_token="more"))  # noqa: S106  no secret
    checkup = ask(answer(lambda _context: page))

    assert checkup.find("log-entries").evidence == "project p: entries can be listed"
    assert checkup.find("log-export").state is Health.WARNING
    assert "has not searched the whole last hour" in checkup.find("log-export").evidence


def test_an_answer_that_is_none_is_told(answer) -> None:
    """Something else listens there."""
    found = ask(answer(lambda _context: b"\xff\xff\xff HTTP/1.1 200 OK")).find("log-entries")

    assert found.state is Health.FAILED
    assert found.remedy


def test_a_slow_service_is_not_waited_for(answer, monkeypatch) -> None:
    """Its own time, and no more."""
    monkeypatch.setattr(google_probes, "_TIMEOUT_S", 0.3)
    over = threading.Event()
    address = answer(lambda _context: bytes(over.wait(30)))
    began = time.monotonic()
    checkup = ask(address)
    over.set()

    assert time.monotonic() - began < 20  # of the 30 s that it would take
    assert checkup.find("log-entries").state is Health.FAILED
    assert "did not answer in time" in checkup.find("log-entries").evidence
    assert "network" in checkup.find("log-entries").remedy


@pytest.mark.parametrize(
    ("ahead_s", "state"), [(0, Health.OK), (-300, Health.WARNING), (300, Health.WARNING)]
)
def test_the_clock_is_compared_with_the_date_of_the_answer(answer, ahead_s: int, state: Health) -> None:
    """Google's front end sends one; which of the two is wrong nobody can tell, by how much can be."""

    def dated(context: Any) -> bytes:
        date = datetime.fromtimestamp(time.time() - ahead_s, UTC)
        context.send_initial_metadata((("date", format_datetime(date, usegmt=True)),))
        return ListLogEntriesResponse.serialize(ListLogEntriesResponse())

    found = ask(answer(dated)).find("clock")

    assert found.state is state
    assert ahead_s == 0 or ("ahead" if ahead_s > 0 else "behind") in found.evidence
