"""``diag find`` as users run it: a piece of something in, the sessions that have it out."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.cli.test_session import SICK, WELL, S, W, one_line

SCHEMA = json.loads(resources.files("diag.render").joinpath("sessions_v1.schema.json").read_text("utf-8"))


def test_a_piece_of_an_id_finds_its_session_and_where_it_stands(diag, logs) -> None:
    """The line of `diag sessions`, and below it the first line that has it; no report is written."""
    name = logs(SICK)
    done = diag("find", W[:12].upper(), name)
    listed = diag("sessions", name).stdout

    assert done.returncode == 0
    assert "1 session found by TEXT, of 1" in done.stdout
    (row,) = [line for line in listed.splitlines() if S in line]
    assert row in done.stdout
    assert "by id" in done.stdout
    assert f"WebSocket client connected connID={W}" in done.stdout
    assert re.search(r"^  orchestrator-[\w-]+@2025-07-27T11:26:41\.972\d+Z#\w+$", done.stdout, re.MULTILINE)
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("text", "kind"), [("orchestrator-5c9b", "pod"), ("audio SHOULD flow", "message"), ("executing", "field")]
)
def test_programs_learn_how_it_was_found(diag, logs, text: str, kind: str) -> None:
    """In the schema of `diag sessions`, and the same every time."""
    name = logs(SICK)
    found = json.loads(diag("find", text, name, "-o", "json").stdout)

    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    (session,) = found["sessions"]
    first = session["found_by"][0]
    assert first["kind"] == kind
    assert all(first[key] for key in ("service", "source", "ref", "time", "text"))
    assert found["notes"] == []
    assert json.loads(diag("find", text, name, "-o", "json").stdout) == found


def test_nothing_found_says_what_was_searched(diag, logs) -> None:
    """Exit 3, with the window, the number of sessions and the coverage; in both outputs."""
    name = logs(WELL)
    done = diag("find", "ws_42", name)
    found = json.loads(diag("find", "ws_42", name, "-o", "json").stdout)

    assert done.returncode == 3
    assert "0 sessions found by TEXT, of 1, 27 Jul 2025" in done.stdout
    assert "Searched: IDs, pods, messages and field values of the 1 session" in done.stdout
    assert name in done.stdout
    assert "TEXT may be" not in done.stdout
    jsonschema.validate(found, SCHEMA)
    assert found["sessions"] == []
    assert found["seen"] == 1
    assert len(found["notes"]) == 1


@pytest.mark.parametrize("text", ["anna.berg@example.com", "+49 170 1234567", "book me a table"])
def test_what_was_redacted_is_not_found_and_never_repeated(diag, logs, workdir: Path, text: str) -> None:
    """Not by the answer, not by a note, not in a file."""
    name = logs(WELL)
    path = workdir / name
    lines = path.read_text().splitlines()
    last = json.loads(lines[-1])
    last["jsonPayload"].update(transcript=f"{text}, please")
    path.write_text("\n".join([*lines[:-1], json.dumps(last)]))
    for output in ("terminal", "json"):
        done = diag("find", text, name, "-o", output)

        assert done.returncode == 3
        assert "TEXT may be" in done.stdout
        assert text not in done.stdout + done.stderr
    assert not (workdir / "reports").exists()


@pytest.mark.parametrize(
    "text", [".*", "(", "[", "\\", "\x1b[31mred", "\u202eabc", b"\xff\xfe", "-- x", "x" * 2_000]
)
def test_no_text_is_an_expression_or_reaches_the_terminal(diag, logs, text) -> None:
    """Nothing is found, nothing is raised, nothing is written back."""
    done = diag("find", "--", text, logs(WELL))

    assert done.returncode == 3
    assert not done.stderr
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("words", [("",), (" \t",), ("x" * 100_000,), (), ("x", "--around", "noon")])
def test_wrong_words_are_refused_in_one_short_line(diag, logs, words: tuple[str, ...]) -> None:
    """Exit 2; before anything is read."""
    done = diag("find", *words, *([logs(WELL)] if words else []))

    assert done.returncode == 2
    assert not words or (one_line(done.stderr) and len(done.stderr) < 200)


def test_the_window_narrows_what_is_searched(diag, logs) -> None:
    """As for `diag sessions`, which reads in the same way."""
    name = logs(SICK)

    assert diag("find", W, name, "--until", "2025-07-27T11:26:41.600Z").returncode == 3
    assert diag("find", W, name, "--around", "2025-07-27T11:26:41Z").returncode == 0


def test_a_source_that_failed_wins(diag) -> None:
    """Exit 4: nobody takes it for an answer."""
    done = diag("find", "x", "missing.ndjson")

    assert done.returncode == 4
    assert "Searched" not in done.stdout


def test_the_plan_sends_nothing(diag) -> None:
    """Cloud Logging is read as for `diag sessions`."""
    words = (
        "--project",
        "p",
        "--until",
        "2025-07-27T11:26:41Z",
        "--since",
        "2025-07-27T10:26:41Z",
        "--explain-plan",
    )
    done = diag("find", "x", *words)

    assert done.returncode == 0
    assert done.stdout == diag("sessions", *words).stdout
    assert diag("find", "", *words).returncode == 2
