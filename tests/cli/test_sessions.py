"""``diag sessions`` as users run it: which sessions were there, and which of them are sick."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema

from tests.cli.test_session import SICK, WELL, S, one_line

SCHEMA = json.loads(resources.files("diag.render").joinpath("sessions_v1.schema.json").read_text("utf-8"))


def test_the_sessions_of_files_are_listed_with_their_verdicts(diag, logs) -> None:
    """A line each in 80 columns, the cause below the sick one; findings set no exit code."""
    done = diag("sessions", logs(SICK))

    assert done.returncode == 0
    assert f"{S}  " in done.stdout
    assert "broken" in done.stdout
    assert "id-mismatch (frontend)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_lines_whose_ids_nobody_knows_are_not_called_an_empty_hour(diag, workdir: Path) -> None:
    """No session was seen: because no key is known for one, and that is said."""
    line = {"level": "info", "msg": "Speech ended", "call_id": "5f0c9a1e", "time": "2025-07-27T11:26:41.372Z"}
    (workdir / "calls.log").write_text(json.dumps(line) + "\n")

    assert "No entry has an ID under a key" in diag("sessions", "calls.log").stdout


def test_the_machine_output_is_of_its_schema_and_the_same_every_time(diag, logs) -> None:
    """`jq` and other programs live on it."""
    name = logs(SICK)
    text = diag("sessions", name, "-o", "json").stdout
    found = json.loads(text)

    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [one["id"] for one in found["sessions"]] == [S]
    assert diag("sessions", name, "-o", "json").stdout == text


def test_entries_come_from_standard_input(diag, logs, workdir: Path) -> None:
    """As for one session."""
    raw = (workdir / logs(SICK)).read_bytes()

    assert S in diag("sessions", "-", stdin=raw).stdout


def test_only_those_without_a_reply_are_listed_on_demand(diag, logs) -> None:
    """An empty list is exit 3, and says how many were seen."""
    done = diag("sessions", logs(WELL), "--no-reply")

    assert done.returncode == 3
    assert "0 sessions with a turn that got no reply, of 1" in done.stdout


def test_wrong_words_are_refused_in_one_line(diag, logs) -> None:
    """Exit 2, nothing is read."""
    for words in (
        ("--cause", "id-mismach"),
        ("--around", "noon"),
        ("--around", "2100-01-01"),
        ("--around", "14:05", "--since", "2h"),
        (),
    ):
        done = diag("sessions", *words)
        assert done.returncode == 2, words
        assert one_line(done.stderr), words


def test_a_file_that_is_not_there_fails(diag) -> None:
    """Exit 4, as where one session is asked for."""
    done = diag("sessions", "missing.ndjson")

    assert done.returncode == 4
    assert "missing.ndjson: no such file" in done.stdout
