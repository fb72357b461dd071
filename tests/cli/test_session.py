"""``diag session`` as users run it: files in, verdict out, and what bad input gives."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

S, W = "session_1753615601372_cz4gw0fl5", "ws_1753615602114220410"
SICK, WELL = "id-mismatch/fires-joined-by-trace", "turn-no-reply/quiet-delivered-by-place"


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


def test_a_sick_session_is_broken_with_its_cause_and_a_report(diag, logs, workdir: Path) -> None:
    """Exit 12; the report's name on stderr, the verdict on stdout."""
    done = diag("session", S, logs(SICK))

    assert done.returncode == 12
    assert "BROKEN" in done.stdout
    assert "id-mismatch, confirmed" in done.stdout
    assert done.stderr == f"reports/{S}.md\n"
    assert (workdir / f"reports/{S}.md").read_text().endswith("**Status: BROKEN**\n")


def test_the_same_files_give_the_same_bytes(diag, logs) -> None:
    """Report, JSON and terminal, a second time and by another name of the session."""
    name = logs(SICK)

    for output in ("markdown", "json", "terminal"):
        assert diag("session", S, name, "-o", output).stdout == diag("session", S, name, "-o", output).stdout
    by_id = json.loads(diag("session", S, name, "-o", "json").stdout)
    by_socket = json.loads(diag("session", W, name, "-o", "json").stdout)
    assert {**by_id, "query": 0} == {**by_socket, "query": 0}


def test_entries_come_from_standard_input(diag, logs, workdir: Path) -> None:
    """``gcloud logging read ... --format=json | diag session ID -``."""
    lines = (workdir / logs(SICK)).read_text().splitlines()
    array = json.dumps([json.loads(line) for line in lines], indent=2).encode()

    assert diag("session", S, "-", stdin=array).returncode == 12


def test_only_the_terminal_view_writes_a_report_unasked(diag, logs, workdir: Path) -> None:
    """--report moves it, --report none omits it."""
    name = logs(SICK)

    diag("session", S, name, "-o", "json")
    diag("session", S, name, "--report", "none")
    assert not (workdir / "reports").exists()
    diag("session", S, name, "-o", "json", "--report", "out/my.md")
    assert (workdir / "out/my.md").is_file()


def test_the_threshold_decides_what_counts(diag, logs) -> None:
    """--fail-on critical lets an error pass."""
    name = logs(SICK)

    assert diag("session", S, name, "--fail-on", "critical").returncode == 0
    assert diag("session", S, name, DIAG_REPORT_FAIL_ON="critical").returncode == 0
    assert diag("session", S, name, "--fail-on", "bogus").returncode == 2


def test_an_empty_id_is_wrong_usage(diag, logs) -> None:
    """A script's variable that was not set: nobody says that there is no such session."""
    done = diag("session", " ", logs(SICK))

    assert (done.returncode, done.stdout) == (2, "")
    assert "ID is empty" in done.stderr


def test_a_broken_verdict_never_exits_0(diag, logs) -> None:
    """Media that never connected break a session without any finding."""
    name = logs("session-one-sided/skipped-media-never-connected")
    done = diag("session", S, name, "-o", "json")
    answer = json.loads(done.stdout)

    assert answer["verdict"]["status"] == "broken"
    assert not [one for one in answer["findings"] if one["severity"] != "info"]
    assert done.returncode == 12
    assert diag("session", S, name, "-o", "json", "--fail-on", "critical").returncode == 0


def test_where_nothing_could_be_read_nothing_is_said_of_the_session(diag) -> None:
    """Exit 4: "no such session" would be a claim."""
    done = diag("session", S, "missing.json")

    assert done.returncode == 4
    assert done.stdout.startswith("Nothing could be read")
    assert "missing.json: no such file" in done.stdout


def test_output_can_go_to_a_file(diag, logs, workdir: Path) -> None:
    """--out takes what stdout would get."""
    done = diag("session", S, logs(SICK), "-o", "json", "--out", "a.json")

    assert done.stdout == ""
    assert json.loads((workdir / "a.json").read_text())["verdict"]["status"] == "broken"


def test_a_folder_that_can_not_be_written_costs_a_line_never_the_result(diag, logs, workdir: Path) -> None:
    """The verdict and its exit code stand."""
    (workdir / "reports").write_text("a file where the folder should be")
    done = diag("session", S, logs(SICK))

    assert done.returncode == 12
    assert "BROKEN" in done.stdout
    assert one_line(done.stderr)
    assert "the report was not written" in done.stderr


def test_an_unknown_id_names_the_window_and_the_nearest(diag, logs) -> None:
    """Exit 3."""
    done = diag("session", "session_1753615601372_cz4gw0fl6", logs(SICK))

    assert done.returncode == 3
    assert "searched 27 Jul 2025" in done.stdout
    assert S in done.stdout
    assert "Traceback" not in done.stderr


def test_an_id_that_looks_like_an_address_is_found_by_what_was_written(diag, workdir: Path) -> None:
    """A SIP Call-ID is kept as a pseudonym, and asked for as it is; one that is not there is not renamed."""
    call = "a84b4c76e66710@pbx.example.org"
    line = {
        "level": "info",
        "msg": "Using session ID from header",
        "sessionID": call,
        "time": "2025-07-27T11:26:41.372Z",
    }
    (workdir / "sip.log").write_text(json.dumps(line) + "\n")

    found, other = diag("session", call, "sip.log"), diag("session", f"b{call}", "sip.log")

    assert "WHIP offer" in found.stdout
    assert call not in found.stdout
    assert other.returncode == 3
    assert f"No session b{call}" in other.stdout


def test_an_id_under_a_key_that_no_catalogue_knows_is_shown_with_its_key(diag, workdir: Path) -> None:
    """Not found is not the same as not there: where it stands is said, and what to do."""
    line = {
        "level": "info",
        "msg": "caller joined",
        "call": {"room": "RM_Zq3rT9xKp2Lm"},
        "time": "2025-07-27T11:26:41.372Z",
    }
    (workdir / "agent.log").write_text(json.dumps(line) + "\n")

    done = diag("session", "RM_Zq3rT9xKp2Lm", "agent.log")

    assert done.returncode == 3
    assert "1 line holds it under call.room, which no catalogue calls an ID's key" in " ".join(
        done.stdout.split()
    )
    assert "docs/catalogue.md" in done.stdout
    assert "caller joined" in done.stdout


def test_a_lost_id_lists_its_occurrences(diag, logs) -> None:
    """It is a hub, not a session: exit 3."""
    done = diag("session", "undefined", logs("id-undefined/fires-socket-bound-to-undefined"))

    assert done.returncode == 3
    assert "undefined is no session" in done.stdout
    assert W in done.stdout


@pytest.mark.parametrize(
    "hostile", ["../../etc/x", "<nil>", "a\x1b[31mb", "x" * 100_000, "-", "%00", "a b;c|d", ""]
)
def test_a_hostile_id_harms_no_file_name_and_no_output(diag, logs, workdir: Path, hostile: str) -> None:
    """Nothing outside the folder, nothing of a megabyte on the screen, no escape sequence."""
    if "\x00" in hostile:
        return
    name = logs(SICK)
    before = set(workdir.parent.rglob("*"))
    done = diag("session", "--report", "none", "--", hostile, name)

    assert done.returncode == (3 if hostile else 2)  # none at all is wrong usage
    assert len(done.stdout) < 3000
    assert "\x1b" not in done.stdout
    assert set(workdir.parent.rglob("*")) == before


def test_a_hostile_session_id_that_is_in_the_log_gets_a_safe_file_name(diag, workdir: Path) -> None:
    """Letters, digits, dots, dashes; a hash because it was changed."""
    hostile = "../../<b>session"
    line = {"msg": "Using session ID from header", "sessionID": hostile, "time": "2025-07-27T11:26:41Z"}
    (workdir / "a.log").write_text(json.dumps(line) + "\n")

    done = diag("session", hostile, "a.log")

    (report,) = (workdir / "reports").iterdir()
    assert report.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert str(report.relative_to(workdir)) in done.stderr
    assert "<b>" not in re.sub(r"`[^`]*`", "", report.read_text())


def test_broken_files_cost_one_line_each_and_the_others_go_on(diag, logs, workdir: Path) -> None:
    """Binary, missing, half a line: said, counted, and the session still judged."""
    name = logs(SICK)
    (workdir / "binary").write_bytes(b"\x7fELF\x00\x00")
    with (workdir / name).open("a") as file:
        file.write('{"insertId": "cut')

    done = diag("session", S, name, "binary", "gone.log")

    assert done.returncode == 12
    assert "files (partial)" in done.stdout
    assert "binary: a binary file" in done.stdout
    assert "gone.log: no such file" in done.stdout
    assert "1 line was not understood" in done.stdout


def test_nothing_readable_is_a_failed_source(diag) -> None:
    """Exit 4: the session may well be there."""
    done = diag("session", S, "gone.log")

    assert done.returncode == 4
    assert "Traceback" not in done.stdout + done.stderr


def test_a_source_that_is_partial_without_a_finding_is_5(diag, logs) -> None:
    """The verdict is incomplete, and says so."""
    well = logs(WELL)

    assert diag("session", S, well, "--report", "none").returncode == 0
    assert diag("session", S, well, "gone.log", "--report", "none").returncode == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((S,), "nothing to read"),
        ((S, "--since", "soon", "--project", "p"), "--since: 'soon' is no time"),
        (("undefined", "--project", "p"), "has no time in it"),
        (("x" * 300, "--project", "p"), "no ID of any service"),
        ((S, "--config", "gone.toml"), "gone.toml"),
        (
            (S, "--project", "p", "--logging-endpoint", "http://logs.example.com:80"),
            "only an address of this machine",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2_or_4(diag, arguments: tuple[str, ...], words: str) -> None:
    """What, where, and what to do."""
    done = diag("session", *arguments)

    assert done.returncode in (2, 4)
    assert "Traceback" not in done.stdout + done.stderr
    assert words in done.stderr + done.stdout


def test_a_dead_logging_server_and_a_dead_broker_are_named(diag) -> None:
    """Each in one line of the coverage; exit 4."""
    done = diag(
        "session", S, "--since", "2025-07-27T11:00Z", "--until", "2025-07-27T12:00Z", "--project", "p",
        "--logging-endpoint", "http://127.0.0.1:9", "--kafka", "127.0.0.1:9", "--report", "none",
    )  # fmt: skip

    assert done.returncode == 4
    assert "cloud-logging (failed)" in done.stdout
    assert "kafka (failed)" in done.stdout
    assert "--logging-endpoint" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_file_given_twice_counts_once(diag, logs, workdir: Path) -> None:
    """By whatever names; lines without an insert ID would count twice."""
    (workdir / "logs").mkdir()
    (workdir / "logs/a.log").write_text(f"one {S}\ntwo {S}\n")
    (workdir / "link.log").symlink_to("logs/a.log")

    done = diag("session", S, "logs/a.log", "./logs/a.log", "link.log", "logs", "--report", "none")

    assert "files: 2 entries, 1 file;" in done.stdout
    assert "given more than once, and read once: ./logs/a.log, link.log" in done.stdout


def test_since_and_until_narrow_files_too(diag, logs, workdir: Path) -> None:
    """What is left out is counted, what has no time stays, and the ID's own time is compared."""
    name = logs(SICK)
    with (workdir / "plain.log").open("w") as file:
        file.write("a line without a time\n")
    found = json.loads(
        diag(
            "session", S, name, "plain.log", "-o", "json",
            "--since", "2025-07-27T11:26:42Z", "--until", "2025-07-27T11:26:47Z",
        ).stdout
    )  # fmt: skip

    times = [event["time"] for event in found["timeline"]]
    assert times
    assert min(times) >= "2025-07-27T11:26:42"
    assert max(times) < "2025-07-27T11:26:47"
    assert (found["query"]["since"][:19], found["query"]["until"][:19]) == (
        "2025-07-27T11:26:42",
        "2025-07-27T11:26:47",
    )
    (files,) = [one for one in found["coverage"] if one["source"] == "files"]
    own, outside, minted = files["notes"][:3]
    assert re.match(r"\d of the session's own lines lie outside of", own)
    assert re.search(r"\d+ of 16 entries lie outside of --since 2025-07-27T11:26:42Z", outside)
    assert "1 without a time were kept" in outside
    assert "the ID was minted at 2025-07-27T11:26:41Z, outside of" in minted
    assert files["state"] == "partial"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--since", "2025-07-27T12:00Z", "--until", "2025-07-27T11:00Z"),
            ("2025-07-27T12:00:00Z", "2025-07-27T11:00:00Z"),
        ),
        (("--since", "2025-07-27T12:00Z", "--until", "2025-07-27 12:00"), ("is not after",)),
        (("--since", "2h", "--until", "3h"), ("is not after",)),
        (("--since", "2200-01-01"), ("2200-01-01T00:00:00Z is not in the past; it is 20",)),
        (("--since", "999999d"), ("before 1970",)),
    ],
)
def test_a_window_in_which_nothing_can_lie_is_wrong_usage(diag, logs, arguments, words) -> None:
    """Both times, as they were understood, in one line."""
    done = diag("session", S, logs(WELL), *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert one_line(done.stderr)
    assert all(word in done.stderr for word in words)


def test_lines_that_nobody_understands_are_not_called_healthy(diag, workdir: Path) -> None:
    """An unknown ID is exit 3; one in plain text is inconclusive, and the lines are counted."""
    (workdir / "a.log").write_text(f"some words\nmore about {S} here\n")

    remedy = "(describe yours: diag catalogue learn FILE)"
    said = f"diag: 2 lines were read, and none is of a service that diag knows {remedy}\n"

    unknown = diag("session", "session_1753615601372_000000000", "a.log")
    assert (unknown.returncode, unknown.stderr) == (3, said)
    assert diag("session", "session_1753615601372_000000000", "a.log", "--quiet").stderr == ""
    done = diag("session", S, "a.log", "--report", "none")
    assert "INCONCLUSIVE" in done.stdout
    assert "2 of 2 lines name neither a time nor a service" in done.stdout
    assert done.stderr == said


def test_colour_only_on_a_terminal(diag, logs) -> None:
    """A pipe gets text."""
    assert "\x1b" not in diag("session", S, logs(SICK), TERM="xterm-256color").stdout


def test_reports_are_plain_files_of_the_user(diag, logs, workdir: Path) -> None:
    """No executable bit, no surprise."""
    diag("session", S, logs(SICK))

    mode = (workdir / f"reports/{S}.md").stat().st_mode
    assert not mode & (stat.S_IXUSR | stat.S_IWOTH)


@pytest.mark.parametrize(
    ("options", "idle"),
    [
        (("--project", "p"), "--project"),
        (
            ("--logs-from", "kubernetes", "--logging-endpoint", "http://127.0.0.1:9"),
            "--logs-from, --logging-endpoint",
        ),
    ],
)
@pytest.mark.parametrize("command", ["session", "sessions"])
def test_a_source_that_log_files_stand_for_is_said_to_be_idle(
    diag, logs, command: str, options, idle: str
) -> None:
    """Who names a project and a file must not believe that both were read."""
    asked = (command, *((S, "--report", "none") if command == "session" else ()), logs(WELL))

    told, silent = diag(*asked, *options), diag(*asked, *options, "--quiet")

    assert told.stderr == f"diag: {idle} not used: log files are read instead\n"
    assert (silent.stderr, silent.stdout, silent.returncode) == ("", told.stdout, told.returncode)
