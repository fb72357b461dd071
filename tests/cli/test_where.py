"""``--where``: a further filter of what is read, the same on files and from Cloud Logging."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_session import SICK, S

MEDIA = 'resource.labels.container_name="media-server"'


def read(done) -> dict:
    return json.loads(done.stdout)


def test_a_filter_narrows_files_and_no_absence_is_claimed(diag, logs) -> None:
    """Coverage says so, the verdict knows it, and the filter's own words are not repeated."""
    name = logs(SICK)
    whole, part = (read(diag("session", S, name, "-o", "json", *more)) for more in ((), ("--where", MEDIA)))

    assert {event["service"] for event in part["timeline"]} == {"media-server"}
    assert {event["service"] for event in whole["timeline"]} > {"media-server"}
    (source,) = (one for one in part["coverage"] if one["source"] == "files")
    assert source["state"] == "partial"
    assert "--where narrowed" in source["notes"][0]
    assert part["verdict"]["status"] == "inconclusive"
    assert MEDIA not in json.dumps(part)
    outcomes = {one["slug"]: one["outcome"] for one in part["outcomes"]}
    assert outcomes["turn-no-reply"] == "skipped"


@pytest.mark.parametrize("empty", [" \n", "-- a comment"])
def test_an_empty_filter_narrows_nothing(diag, logs, empty: str) -> None:
    """A script's variable that was not set must not make every verdict inconclusive."""
    asked = ("session", S, logs(SICK), "--report", "none")

    whole, same = diag(*asked), diag(*asked, "--where", empty)

    assert (same.returncode, same.stdout) == (whole.returncode, whole.stdout)


@pytest.mark.parametrize("command", ["sessions", "find"])
def test_lists_are_narrowed_too(diag, logs, command: str) -> None:
    """Nothing is listed where nothing matches, and that is no proof."""
    words = [command, *([S] if command == "find" else []), logs(SICK)]

    none = diag(*words, "--where", 'jsonPayload.message="no such line"')
    some = diag(*words, "--where", MEDIA, "-o", "json")

    assert none.returncode == 5
    assert [one["id"] for one in read(some)["sessions"]] == [S]
    assert some.returncode == 5


@pytest.mark.parametrize("command", ["session", "sessions", "find"])
def test_a_wrong_filter_is_wrong_usage_with_its_place(diag, logs, command: str) -> None:
    """A caret under it, as ``diag lql check`` shows it; nothing is read."""
    words = [command, *([] if command == "sessions" else [S]), logs(SICK)]

    done = diag(*words, "--where", "severity=>ERROR")

    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    (at,) = (place for place, line in enumerate(lines) if line.strip() == "^")
    assert lines[at].index("^") == lines[at - 1].index("severity=>ERROR") + len("severity=")


def test_the_plan_shows_what_would_be_sent(diag) -> None:
    """Cloud Logging narrows by itself: the filter stands in each of the queries."""
    done = diag("session", S, "--project", "p", "--where", MEDIA, "--explain-plan", "-o", "json")

    queries = [text for query in read(done)["queries"] for text in query["filters"]]
    assert queries
    assert all(MEDIA in text for text in queries)


def test_a_filter_that_leaves_no_room_for_ids_is_refused(diag) -> None:
    """20,000 characters are all that the service takes."""
    done = diag(
        "session", S, "--project", "p", "--explain-plan", "--where", 'insertId="' + "x" * 12_000 + '"'
    )

    assert done.returncode == 2
    assert "--where has 120" in done.stderr
