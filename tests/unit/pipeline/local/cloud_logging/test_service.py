from __future__ import annotations

import threading
import time
from contextlib import suppress

import grpc
import pytest
from google.api_core import exceptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BASE_S = 1_767_225_600


@pytest.fixture
def ten(logging_server, entry):
    """A server with ten entries, a second apart, the insert IDs from a to j."""
    logging_server.write(
        *(
            entry(BASE_S + number, letter, severity=number * 100)
            for number, letter in enumerate("abcdefghij"[:9])
        ),
        entry(BASE_S + 9, "j", json_payload={"session_id": "s"}),
    )
    return logging_server


def ids(entries):
    return "".join(entry.insert_id for entry in entries)


def test_written_entries_are_listed(logging_server, entry):
    """What the official client writes is what it lists, with the time of its arrival."""
    before = time.time()
    logging_server.write(
        entry(BASE_S + 0.25, "a", severity=400, labels={"k8s-pod/app": "x"}, trace="projects/p/traces/1")
    )

    (found,) = logging_server.list()

    assert (found.insert_id, found.severity, found.text_payload) == ("a", 400, "text")
    assert found.timestamp.timestamp() == BASE_S + 0.25
    assert dict(found.labels) == {"k8s-pod/app": "x"}
    assert found.trace == "projects/p/traces/1"
    assert before <= found.receive_timestamp.timestamp() <= time.time()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcdefghij"),
        ('insertId=("a" OR "c")', "ac"),
        ("severity>=ERROR", "fghi"),
        ('jsonPayload.session_id="s"', "j"),
        ('timestamp>="2026-01-01T00:00:08Z"', "ij"),
        ('timestamp>"2026-01-01T00:00:01Z" AND timestamp<="2026-01-01T00:00:03Z"', "cd"),
        ('resource.type="k8s_container" -textPayload:*', "j"),
        ('log_id("stderr")', ""),
        ("source(projects/test-project)", "abcdefghij"),
        ("source(projects/other)", ""),
        ('SEARCH("text") insertId<"c"', "ab"),
        ('cast(regexp_extract(cast(timestamp, STRING), ":(\\\\d\\\\d)Z$"), INT64)>=8', "ij"),
        ("severity>=Infinity", ""),
    ],
)
def test_filter_decides(ten, query, expected):
    """The whole query language is there, over the entries in their REST form."""
    assert ids(ten.list(filter=query)) == expected


def test_pages_have_the_size_that_was_asked_for(ten):
    """The client's pager sees every entry once, in as many pages as it takes."""
    pages = list(ten.client.list_log_entries(
        request={"resource_names": ["projects/test-project"], "page_size": 4}
    ).pages)  # fmt: skip

    assert [ids(page.entries) for page in pages] == ["abcd", "efgh", "ij"]
    assert not pages[-1].next_page_token


def test_default_page_has_50(logging_server, entry):
    """Without a size a page has 50 entries."""
    logging_server.write(*(entry(BASE_S, f"{number:03d}") for number in range(60)))

    page = logging_server.page()

    assert len(page.entries) == 50
    assert page.next_page_token


@pytest.mark.parametrize(
    ("order", "expected"), [("", "ab"), ("timestamp asc", "ab"), ("timestamp desc", "ba")]
)
def test_order(logging_server, entry, order, expected):
    """Oldest first unless the newest are asked for."""
    logging_server.write(entry(BASE_S + 1, "b"), entry(BASE_S, "a"))

    assert ids(logging_server.list(order_by=order)) == expected


def test_ties_are_ordered_by_insert_id(logging_server, entry):
    """Entries of one moment come by insert ID, over all pages."""
    logging_server.write(*(entry(BASE_S, letter) for letter in "dbca"))

    assert ids(logging_server.list(page_size=1)) == "abcd"


def test_duplicates_are_listed_once(logging_server, entry):
    """The same entry sent twice, as a client does that had no answer, is there once."""
    logging_server.write(entry(BASE_S, "a"), entry(BASE_S, "a"))
    logging_server.write(entry(BASE_S, "a"), entry(BASE_S + 1, "a"))

    assert ids(logging_server.list()) == "aa"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"filter": "insertId = abc:def"},
            r"Unparseable filter: syntax error at line 1, column \d+, token ':'",
        ),
        ({"filter": 'thud="x"'}, "Unparseable filter"),
        ({"page_size": 1001}, "page_size"),
        ({"page_size": -1}, "page_size"),
        ({"order_by": "severity"}, "order_by"),
        ({"page_token": "x"}, "page_token"),
        ({"resource_names": ["x"]}, "resource name"),
    ],
)
def test_wrong_requests_are_invalid_arguments(logging_server, parameters, message):
    """The client raises what it would raise against the real service."""
    with pytest.raises(exceptions.InvalidArgument, match=message):
        logging_server.page(**parameters)


def test_token_of_another_request_is_refused(ten):
    """A token goes with the filter that it was made for."""
    token = ten.page(page_size=2, filter="severity>=DEBUG").next_page_token

    assert ids(ten.page(page_size=2, filter="severity>=DEBUG", page_token=token).entries) == "de"
    with pytest.raises(exceptions.InvalidArgument, match="page_token doesn't match"):
        ten.page(page_size=2, filter="severity>=INFO", page_token=token)


def test_folders_have_no_entries_of_their_own(ten):
    """What lies in a folder's projects is none of its own, and asking is no error."""
    assert ten.list(resource_names=["folders/1"]) == []


@pytest.mark.parametrize(
    "name", ["projects/other", "projects/other/locations/global/buckets/b/views/_AllLogs"]
)
def test_a_project_that_is_not_there_is_refused_like_a_secret_one(ten, name: str):
    """Who may not know of a project is not told whether there is one; all of the request fails."""
    with pytest.raises(exceptions.PermissionDenied, match="or it may not exist"):
        ten.list(resource_names=["projects/test-project", name])


def test_search_that_takes_too_long_pauses(start_logging, entry):
    """Out of time a page is empty with a token, and the client's pager goes on to the end."""
    server = start_logging(search_s=0.0)
    server.write(*(entry(BASE_S + number, f"{number:04d}") for number in range(250)))

    page = server.page(filter='insertId="0249"', page_size=10)

    assert (len(page.entries), bool(page.next_page_token)) == (0, True)
    assert ids(server.list(filter='insertId="0249"', page_size=10)) == "0249"


def test_quota(start_logging, entry):
    """Over the quota a read is RESOURCE_EXHAUSTED with the details by which clients know it."""
    server = start_logging(read_requests_per_minute=2)
    server.write(entry(BASE_S, "a"))
    server.page()
    server.page()

    with pytest.raises(
        exceptions.ResourceExhausted, match="Quota exceeded for quota metric 'Read requests'"
    ) as error:
        server.page()
    server.write(entry(BASE_S, "b"))

    assert error.value.reason == "RATE_LIMIT_EXCEEDED"
    assert error.value.domain == "googleapis.com"
    assert error.value.metadata["quota_limit"] == "ReadRequestsPerMinutePerProject"
    assert error.value.metadata["quota_limit_value"] == "2"


def test_ingestion_delay(start_logging, entry, eventually):
    """An entry can be read so many seconds after its arrival, whatever its timestamp."""
    server = start_logging(ingestion_delay_s=0.5)
    start = time.monotonic()
    server.write(entry(BASE_S, "a"))

    eventually(server.list)

    assert time.monotonic() - start >= 0.5


def test_dry_run_keeps_nothing(logging_server, entry):
    """A dry run is judged and forgotten."""
    logging_server.write(entry(BASE_S, "a"), dry_run=True)

    assert logging_server.list() == []


def test_partial_success(logging_server, entry):
    """The good entries are there although the call fails."""
    with pytest.raises(exceptions.InvalidArgument, match="monitored resource"):
        logging_server.write(entry(BASE_S, "a"), entry(BASE_S, "b", resource={}), partial_success=True)

    assert ids(logging_server.list()) == "a"


def test_other_methods_are_unimplemented(logging_server):
    """What the server does not do, it says."""
    with pytest.raises(exceptions.MethodNotImplemented):
        logging_server.client.list_monitored_resource_descriptors(request={}, retry=None, timeout=60)


def test_logs_are_named_page_by_page_and_deleted(logging_server, entry):
    """As long as a log has entries; one that is deleted comes back with its next entry."""
    names = [f"projects/test-project/logs/{name}" for name in ("a", "b%2Fc", "d")]
    for number, name in enumerate(names):
        logging_server.write(entry(BASE_S + number, f"{number}", log_name=f"/{name}"))
    listed = logging_server.client.list_logs(request={"parent": "projects/test-project", "page_size": 2})
    assert [list(page.log_names) for page in listed.pages] == [names[:2], names[2:]]

    logging_server.client.delete_log(log_name=names[1])

    assert list(logging_server.client.list_logs(parent="projects/test-project")) == [names[0], names[2]]
    assert ids(logging_server.list()) == "02"
    with pytest.raises(exceptions.NotFound):
        logging_server.client.delete_log(log_name=names[1])
    logging_server.write(entry(BASE_S + 1, "1", log_name=names[1]))
    assert ids(logging_server.list(filter=f'logName="{names[1]}"')) == "1"


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda client: client.delete_log(log_name="projects/other/logs/a"), exceptions.PermissionDenied),
        (lambda client: client.delete_log(log_name="a"), exceptions.InvalidArgument),
        (lambda client: client.list_logs(parent="projects/other"), exceptions.PermissionDenied),
        (lambda client: client.list_logs(request={}), exceptions.InvalidArgument),
        (
            lambda client: client.list_logs(request={"parent": "projects/test-project", "page_token": "a"}),
            exceptions.InvalidArgument,
        ),
    ],
)
def test_wrong_requests_for_logs_are_refused(logging_server, ask, error):
    """In the same way as those for entries."""
    with pytest.raises(error):
        ask(logging_server.client)


def test_writers_do_not_wait_for_a_search(ten, entry, monkeypatch):
    """While a filter is at work, entries are taken and other searches answered."""
    from pipeline.local.cloud_logging import reading  # noqa: PLC0415 - only this test looks inside

    entered, release = threading.Event(), threading.Event()
    compile_filter = reading.compile_filter

    def compile_slow(tree):
        matches = compile_filter(tree)
        return lambda document: bool(entered.set() or release.wait(60)) and matches(document)

    monkeypatch.setattr(reading, "compile_filter", compile_slow)
    slow = threading.Thread(target=lambda: ten.list(filter='insertId="a"'))
    slow.start()
    assert entered.wait(60)
    monkeypatch.setattr(reading, "compile_filter", compile_filter)

    ten.write(entry(BASE_S + 100, "z"))
    found = ids(ten.list(filter='insertId="z"'))
    release.set()
    slow.join(20)

    assert found == "z"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.text(max_size=40), st.text(max_size=10), st.integers(-(2**31), 2**31 - 1), st.binary(max_size=40))
def test_hostile_requests_do_not_stop_it(ten, text, order, size, raw):
    """Whatever a client sends, it gets an answer or an error, and the next request is served."""
    channel = ten.client.transport._logged_channel
    list_raw, write_raw = (
        channel.unary_unary(f"/google.logging.v2.LoggingServiceV2/{method}")
        for method in ("ListLogEntries", "WriteLogEntries")
    )
    for attempt in (
        lambda: ten.page(filter=text),
        lambda: ten.page(order_by=order),
        lambda: ten.page(page_size=size),
        lambda: ten.page(page_token=text),
        lambda: ten.page(resource_names=[text]),
        lambda: list_raw(raw, timeout=60),
        lambda: write_raw(raw, timeout=60),
    ):
        with suppress(exceptions.GoogleAPICallError, grpc.RpcError):
            attempt()

    assert ids(ten.page(filter='insertId="a"').entries) == "a"
