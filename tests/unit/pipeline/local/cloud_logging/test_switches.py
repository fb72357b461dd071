"""Every switch, as the official client sees it."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection

import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors

from pipeline.local.cloud_logging.admin import start_admin
from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.switches import Switches, change, list_switches

NOW_S = time.time()


def ids(entries):
    return "".join(entry.insert_id for entry in entries)


def test_a_page_ends_where_it_is_long_enough(start_logging, entry):
    """A page of large entries holds fewer than were asked for, and all come."""
    server = start_logging(page_bytes=2_500)
    server.write(*(entry(NOW_S + n, letter, text_payload="x" * 1000) for n, letter in enumerate("abcdefg")))

    pages = list(server.client.list_log_entries(
        request={"resource_names": ["projects/test-project"], "page_size": 100}
    ).pages)  # fmt: skip

    assert [ids(page.entries) for page in pages] == ["abc", "def", "g"]


def test_what_is_older_than_the_retention_vanishes(start_logging, entry, eventually):
    """It can be read until then; what is written too late is taken and never seen; the future is refused."""
    server = start_logging(retention_days=30.0)
    server.write(entry(NOW_S - 86_400 * 30 + 3600, "a"), entry(NOW_S, "b"))
    server.write(entry(NOW_S - 86_400 * 31, "c"))
    assert ids(server.list()) == "ab"

    server.board.change({"retention_days": 29})
    assert ids(server.list()) == "b"
    assert ids(server.list(filter='timestamp>"2000-01-01T00:00:00Z"')) == "b"
    server.board.change({"retention_days": 0})
    assert ids(server.list()) == "ab"
    with pytest.raises(exceptions.InvalidArgument, match="24 hours in the future"):
        server.write(entry(NOW_S + 90_000, "d"))


def test_denied_projects(start_logging, entry):
    """Neither read nor written, with the details by which clients know it; other projects are as ever."""
    server = start_logging(projects=("test-project", "other"))
    server.write(entry(NOW_S, "a"), entry(NOW_S, "b", log_name="projects/other/logs/stdout"))
    server.board.change({"denied_projects": "other, third"})

    assert ids(server.list()) == "a"
    with pytest.raises(exceptions.PermissionDenied, match=r"Permission 'logging\.logEntries\.list'") as error:
        server.list(resource_names=["projects/test-project", "projects/other"])
    assert (error.value.reason, error.value.domain) == ("IAM_PERMISSION_DENIED", "iam.googleapis.com")
    with pytest.raises(exceptions.PermissionDenied, match=r"logging\.logEntries\.create"):
        server.write(entry(NOW_S, "c", log_name="projects/other/logs/stdout"))


def test_entries_of_several_projects(start_logging, entry):
    """Each request gets those of the projects that it names, in one order, over all pages."""
    server = start_logging(projects=("test-project", "other"))
    server.write(
        entry(NOW_S, "a"),
        entry(NOW_S, "a", log_name="projects/other/logs/stdout"),
        entry(NOW_S + 1, "b", log_name="projects/other/logs/stdout"),
    )

    assert ids(server.list()) == "a"
    assert ids(server.list(resource_names=["projects/other"])) == "ab"
    assert ids(server.list(resource_names=["projects/other", "projects/test-project"], page_size=1)) == "aab"


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("UNAVAILABLE", exceptions.ServiceUnavailable, "currently unavailable"),
        ("UNAUTHENTICATED", exceptions.Unauthenticated, "invalid authentication credentials"),
        ("RESOURCE_EXHAUSTED", exceptions.ResourceExhausted, "Quota exceeded"),
        ("PERMISSION_DENIED", exceptions.PermissionDenied, "may not exist"),
        ("DEADLINE_EXCEEDED", exceptions.DeadlineExceeded, "Deadline expired"),
        ("INTERNAL", exceptions.InternalServerError, "Internal error"),
    ],
)
def test_ordered_faults(logging_server, entry, code, error, words):
    """Reads and writes fail as they are told to, each for itself, and then no more."""
    logging_server.board.change({"refuse_reads": f"{code}*1", "refuse_writes": f"{code}*1"})

    with pytest.raises(error, match=words):
        logging_server.client.list_log_entries(
            request={"resource_names": ["projects/test-project"]}, retry=None, timeout=60
        )
    with pytest.raises(error, match=words):
        logging_server.write(entry(NOW_S, "a"))
    logging_server.write(entry(NOW_S, "b"))

    assert ids(logging_server.list()) == "b"


def test_latency(start_logging):
    """Every answer takes so long, and at most so much longer."""
    server = start_logging(latency_s=0.2, jitter_s=0.1)
    begin = time.monotonic()

    server.list()

    assert time.monotonic() - begin >= 0.2


def test_an_entry_that_is_not_visible_yet_was_received_all_the_same(start_logging, entry, eventually):
    """The lag keeps it from readers; its receive timestamp is the time at which it came."""
    server = start_logging(ingestion_delay_s=3600)
    before = time.time()
    server.write(entry(NOW_S, "a"))
    after = time.time()
    assert server.list() == []

    server.board.change({"ingestion_delay_s": 0})

    (found,) = server.list()
    assert before <= found.receive_timestamp.timestamp() <= after


def test_partial_errors_name_each_entry(logging_server, entry):
    """The client finds every refused entry by its index in the error's details."""
    with pytest.raises(exceptions.InvalidArgument) as error:
        logging_server.write(
            entry(NOW_S, "a"),
            entry(NOW_S, "b", resource={}),
            entry(NOW_S, "c", text_payload="x" * 300_000),
            partial_success=True,
        )

    details = WriteLogEntriesPartialErrors.pb()()
    (status,) = (one for one in error.value.details if one.Is(details.DESCRIPTOR))
    assert status.Unpack(details)
    assert sorted(details.log_entry_errors) == [1, 2]
    assert ids(logging_server.list()) == "a"


def test_a_request_of_more_than_10_mb_is_refused(logging_server, entry):
    """In the service's words, not as a message that gRPC would not take."""
    with pytest.raises(exceptions.InvalidArgument, match="payload size exceeds the limit: 10485760 bytes"):
        logging_server.write(*(entry(NOW_S, str(n), text_payload="x" * 200_000) for n in range(60)))


def test_long_labels_are_cut(logging_server, entry):
    """Keys at 512 bytes, values at 64 KiB, between two characters."""
    logging_server.write(entry(NOW_S, "a", labels={"k" * 600: "v", "b": "\u00e4" * 40_000}))

    (found,) = logging_server.list()

    assert dict(found.labels) == {"k" * 512: "v", "b": "\u00e4" * 32_768}


def test_every_switch_is_named_and_explained():
    """Misspelt ones are refused with the one that was meant; a change is whole or none."""
    board = Switchboard()

    assert set(list_switches()) == set(board.change({}))
    with pytest.raises(ValueError, match="did you mean latency_s"):
        board.change({"jitter_s": 1, "latencys": 1})
    with pytest.raises(ValueError, match=r"tail_sessions=1\.5 is not a whole number"):
        board.change({"jitter_s": 1, "tail_sessions": 1.5})
    assert board.switches == Switches()
    assert change(Switches(), {"jitter_s": "0.5"}).jitter_s == 0.5


@pytest.fixture
def ask():
    """`ask(method, path, body)`: status and content of the admin endpoint; `ask.board` is behind it."""
    board = Switchboard()
    server = start_admin("127.0.0.1", 0, board)

    def send(method, path="/switches", body=None):
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    send.board = board
    yield send
    server.shutdown()
    server.server_close()


def test_switches_over_http(ask):
    """What is set is answered; what is wrong changes nothing."""
    status, switches = ask("GET")
    assert (status, switches["latency_s"]) == (200, 0.0)

    assert ask("PATCH", body={"latency_s": 1.5, "refuse_reads": "UNAVAILABLE"})[1]["latency_s"] == 1.5
    assert ask("PATCH", body={"latency_s": 2, "nonsense": 1})[0] == 400
    assert ask("PATCH", body=[1])[0] == 400
    assert ask("GET", "/other")[0] == 404
    assert ask.board.switches == Switches(latency_s=1.5, refuse_reads="UNAVAILABLE")
