from __future__ import annotations

import math

import pytest
from google.cloud.logging_v2.types import WriteLogEntriesPartialErrors, WriteLogEntriesRequest

from pipeline.local.cloud_logging.errors import RequestError
from pipeline.local.cloud_logging.writing import Intake, sort_entries

NAME = "projects/p/logs/stdout"
NOW_NS = 1_767_225_600_000_000_000


def make(*entries, **fields):
    return WriteLogEntriesRequest.pb()(entries=entries, **fields)


def complete(**fields):
    return {"log_name": NAME, "resource": {"type": "global"}, "text_payload": "t", **fields}


def sort(request):
    return sort_entries(request, Intake(frozenset({"p"})), NOW_NS)


def test_defaults_of_the_request_fill_in():
    """Log name, resource and labels of the request stand in for what an entry has not."""
    request = make(
        {"text_payload": "a", "labels": {"x": "own"}},
        complete(log_name="projects/p/logs/stderr", resource={"type": "k8s_container"}),
        log_name=NAME,
        resource={"type": "global"},
        labels={"x": "default", "y": "default"},
    )

    first, second = (entry.document for entry in sort(request).check(partial_success=False))

    assert (first["logName"], first["resource"]["type"]) == (NAME, "global")
    assert first["labels"] == {"x": "own", "y": "default"}
    assert (second["logName"], second["resource"]["type"]) == ("projects/p/logs/stderr", "k8s_container")


def test_missing_time_and_id_are_supplied_in_order():
    """Entries without time and ID get their own, and sort as they stood in the request."""
    kept = sort(make(*(complete() for _ in range(300)))).taken

    positions = [entry.position for entry in kept]
    assert positions == sorted(set(positions))
    assert positions[0][0] == NOW_NS


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        (complete(log_name=""), 3, "Invalid log name"),
        (complete(log_name="projects/p/logs/a/b"), 3, "Invalid log name"),
        (complete(log_name="projects/p/logs/a b"), 3, "Invalid log name"),
        (complete(log_name=f"projects/p/logs/{'a' * 512}"), 3, "Invalid log name"),
        (complete(log_name="projects/other/logs/a"), 7, "logging.logEntries.create"),
        (complete(resource={}), 3, "monitored resource"),
        (
            complete(text_payload="x" * 300_000),
            3,
            r"^Log entry with size 293\.\dK exceeds maximum size of 256\.0K$",
        ),
        (complete(timestamp={"seconds": 10**15}), 3, "invalid value"),
        (complete(timestamp={"seconds": NOW_NS // 10**9 + 86_401}), 3, "24 hours in the future"),
        (complete(labels={f"k{n}": "v" for n in range(65)}), 3, "65 labels, more than 64"),
    ],
)
def test_wrong_entries_are_refused(entry, code, message):
    """One wrong entry refuses the request, with the real service's code and words."""
    with pytest.raises(RequestError, match=message) as refusal:
        sort(make(complete(), entry)).check(partial_success=False)

    assert refusal.value.to_status().code == code


def test_number_that_json_does_not_have_is_refused():
    """NaN in a payload cannot be listed in JSON, so it is not taken."""
    request = make(complete())
    request.entries[0].json_payload["n"] = math.nan

    assert list(sort(request).refused) == [0]


def test_partial_success_keeps_the_good_ones():
    """With partial_success the good entries are kept, and the error tells of each bad one by index."""
    result = sort(make(complete(), complete(resource={}), complete(), complete(log_name="x")))

    kept = result.check(partial_success=True)
    error = result.to_error()

    assert len(kept) == 2
    assert error is not None
    (detail,) = error.to_status().details
    errors = WriteLogEntriesPartialErrors.pb()()
    assert detail.Unpack(errors)
    assert sorted(errors.log_entry_errors) == [1, 3]


def test_partial_success_of_nothing_is_a_plain_refusal():
    """Where no entry was written there are no errors per entry."""
    with pytest.raises(RequestError) as refusal:
        sort(make(complete(resource={}))).check(partial_success=True)

    assert not refusal.value.to_status().details
