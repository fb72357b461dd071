from __future__ import annotations

import pytest
from google.cloud.logging_v2.types import ListLogEntriesRequest

from pipeline.local.cloud_logging.errors import RequestError
from pipeline.local.cloud_logging.reading import Reach, make_token, read_projects, read_query


def make(**fields):
    return ListLogEntriesRequest.pb()(**{"resource_names": ["projects/p"], **fields})


def read(request, oldest_ns=None, received_until_ns=0):
    return read_query(request, Reach(frozenset({"p"}), oldest_ns, received_until_ns, 10**7))


def test_query_of_a_request():
    """Filter, bounds, order and size are read off the request."""
    request = make(
        filter='timestamp>="2026-01-01T00:00:00Z" timestamp<="2026-01-01T00:00:01Z" insertId="a"',
        order_by="timestamp desc",
        page_size=7,
    )

    query = read(request, received_until_ns=99)

    assert query.low_ns == 1_767_225_600_000_000_000
    assert query.high_ns == 1_767_225_601_000_000_000
    assert (query.descending, query.page_size, query.received_until_ns, query.after) == (True, 7, 99, None)
    assert query.matches({"insertId": "a", "timestamp": "2026-01-01T00:00:00.5Z"})
    assert not query.matches({"insertId": "b", "timestamp": "2026-01-01T00:00:00.5Z"})


def test_defaults():
    """Without more than resources: everything, oldest first, 50 a page."""
    query = read(make())

    assert (query.low_ns, query.high_ns, query.descending, query.page_size) == (None, None, False, 50)
    assert query.matches({})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"page_size": -1}, "page_size"),
        ({"page_size": 1001}, "page_size"),
        ({"order_by": "severity"}, "order_by"),
        ({"order_by": "timestamp"}, "order_by"),
        ({"order_by": "timestamp DESC"}, "order_by"),
        ({"filter": "x" * 20_001}, "20000"),
        (
            {"filter": "insertId = abc:def"},
            r"^Unparseable filter: syntax error at line 1, column \d+, token ':'$",
        ),
        ({"filter": "("}, "^Unparseable filter: "),
        ({"filter": "(" * 9_000 + "a" + ")" * 9_000}, "^Unparseable filter: "),
        ({"page_token": "%%%"}, "page_token"),
        ({"page_token": "bnVsbA=="}, "page_token"),
        ({"page_token": "WzEsMiwzXQ=="}, "page_token"),
    ],
)
def test_wrong_requests_are_refused(fields, message):
    """Each wrong parameter is INVALID_ARGUMENT, with a text that names it."""
    with pytest.raises(RequestError, match=message) as refusal:
        read(make(**fields))

    assert refusal.value.to_status().code == 3


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["projects/p"], {"p"}),
        (["projects/p", "projects/q", "projects/p"], {"p", "q"}),
        (["folders/1", "organizations/2", "billingAccounts/A-B", "projects/p"], {"p"}),
        (["projects/p/locations/global/buckets/_Default/views/_AllLogs"], {"p"}),
        (["folders/p"], set()),
    ],
)
def test_projects_that_are_named(names, expected):
    """All parents of the real service are accepted, and views; only projects hold entries here."""
    assert read_projects(make(resource_names=names)).projects == expected


@pytest.mark.parametrize("names", [[], ["p"], ["projects/"], ["projects/p", "x/y"], ["projects/p"] * 101])
def test_wrong_resources_are_refused(names):
    """No resource, a malformed one among others, or too many: INVALID_ARGUMENT."""
    with pytest.raises(RequestError) as refusal:
        read_projects(make(resource_names=names))

    assert refusal.value.to_status().code == 3


def test_token_is_read_back():
    """The next request goes on where its token says, also with another page size."""
    request = make(filter="a", order_by="timestamp desc", page_size=5)
    token = make_token(request, (12, "id", "p"))

    query = read(make(filter="a", order_by="timestamp desc", page_size=9, page_token=token))

    assert query.after == (12, "id", "p")


@pytest.mark.parametrize(
    "fields",
    [{"filter": "b"}, {"order_by": "timestamp desc"}, {"resource_names": ["projects/p", "projects/q"]}],
)
def test_token_is_bound_to_its_request(fields):
    """A token for other parameters is refused as the real service refuses it."""
    token = make_token(make(filter="a"), (12, "id", "p"))

    with pytest.raises(RequestError, match="page_token doesn't match arguments from the request"):
        read(make(**{"filter": "a", **fields, "page_token": token}))
