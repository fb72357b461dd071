"""``diag catalogue`` as users run it: what is wrong in one go, and a proposal that can be used at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

CALL = "CA9b2e71c4d8f035a6e7b8091c2d3e4f50"
GOOD = """\
[ids]
session = ["callSid"]
[forms]
session = ["CA[0-9a-f]{32}"]
[services.gateway]
side = "media"
[services.gateway.messages]
"call accepted" = { event = "whip.session" }
"""


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")


def log(folder: Path, *messages: str, file: str = "gateway.log", **fields: str) -> str:
    lines = [
        json.dumps({"level": 30, "time": 1753615696210 + n, **fields, "msg": text})
        for n, text in enumerate(messages)
    ]
    (folder / file).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file


def test_a_good_file_says_what_it_holds(diag, workdir: Path) -> None:
    """One line each, exit 0."""
    write(workdir, a=GOOD, b='[contents]\nkeys = ["words"]\n')
    done = diag("catalogue", "validate", "a.toml", "b.toml")

    assert done.returncode == 0
    assert (
        done.stdout == "a.toml: 1 message, 0 patterns, 1 ID key\nb.toml: 0 messages, 0 patterns, 0 ID keys\n"
    )


def test_every_problem_is_named_at_once_with_its_line(diag, workdir: Path) -> None:
    """Of all files; exit 2."""
    write(
        workdir,
        a=GOOD.replace("media", "medja").replace("whip.session", "whip.sesion"),
        b="[kafka]\nx = 1\n",
        c="a = [",
    )
    done = diag("catalogue", "validate", "a.toml", "b.toml", "c.toml", "gone.toml")

    assert done.returncode == 2
    places = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert places == ["a.toml:6:", "a.toml:8:", "b.toml:1:", "c.toml:1:", "gone.toml:"]
    assert all("; " in line for line in done.stdout.splitlines())
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x7fELF\x00\xff\xfe", "no text in UTF-8"),
        (b"x" * 2_000_000, "larger than 1,000,000 bytes"),
        (b"a = " + b"[" * 50_000, "nested too deeply"),
        (b"[" + b"a." * 400_000 + b"a]", "nested too deeply"),
        (b"x = { " + b"a . " * 200_000 + b"a = 1 }", "nested too deeply"),
        (b"a" * 900_000, "no TOML"),
        (b"\"'" * 400_000, "no TOML"),
        (b"a = " + b"9" * 100_000, "no TOML"),
        (b'"\\u001b[31m\\u202e" = 1', "unknown key"),
        (b"", "it says nothing"),
    ],
    ids=[
        "binary",
        "huge",
        "deep array",
        "deep key",
        "deep inline key",
        "long word",
        "quotes",
        "number",
        "escapes",
        "empty",
    ],
)
def test_hostile_files_cost_one_line(diag, workdir: Path, raw: bytes, words: str) -> None:
    """Clear, short, without control characters; no traceback."""
    (workdir / "a.toml").write_bytes(raw)
    done = diag("catalogue", "validate", "a.toml")

    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert words in done.stdout
    assert len(done.stdout) < 500
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_proposal_is_a_catalogue(diag, workdir: Path) -> None:
    """What learn prints, validate accepts, and with it the same lines are known."""
    name = log(workdir, "call accepted", "codec opus at 48000 Hz", 'said "hi"', "back\\slash", callSid=CALL)
    done = diag("catalogue", "learn", name, "--out", "p.toml")

    assert done.returncode == 0
    assert diag("catalogue", "validate", "p.toml").returncode == 0
    again = diag("catalogue", "learn", name, "--catalogue", "p.toml")
    assert again.stdout == ""
    assert "4 known already" in again.stderr


def test_lines_that_the_catalogue_knows_are_left_out_and_counted(diag, logs) -> None:
    """The reference system's own lines propose nothing."""
    done = diag("catalogue", "learn", logs("id-mismatch/fires-joined-by-trace"))

    assert done.returncode == 0
    assert done.stdout == ""
    assert "proposed: 0 services" in done.stderr


def test_a_packaged_message_of_another_service_keeps_its_event(diag, workdir: Path) -> None:
    """With what it says and shows."""
    done = diag(
        "catalogue",
        "learn",
        log(workdir, "Using session ID from header", "something else", file="x.log", service="gateway"),
    )
    messages = tomllib.loads(done.stdout)["services"]["gateway"]["messages"]

    assert messages["Using session ID from header"] == {
        "event": "whip.session",
        "attributes": {"origin": "header"},
    }
    assert messages["something else"] == {"event": "log"}


def test_no_secret_and_no_value_of_a_field_is_in_the_proposal(diag, workdir: Path) -> None:
    """Tokens, addresses, numbers, contents, IDs."""
    name = log(
        workdir, "login token=abcdef123456 from 10.1.2.3", "call +49 30 1234567 placed", "transcript: my PIN is four",
        text="a word", callSid=CALL, apiKey="zzzzzzzz1", userId="u-4711-aaaa",
    )  # fmt: skip
    done = diag("catalogue", "learn", name)

    assert diag("catalogue", "validate", write(workdir, p=done.stdout) or "p.toml").returncode == 0
    for secret in (
        "abcdef123456",
        "10.1.2.3",
        "1234567",
        "my PIN",
        "a word",
        CALL,
        CALL[2:12],
        "zzzz",
        "4711",
    ):
        assert secret not in done.stdout + done.stderr


def test_standard_input_and_files_that_are_none(diag, workdir: Path) -> None:
    """``-`` works; a file that is gone is 4, or 5 beside one that was read; nothing to read is 3."""
    name = log(workdir, "call accepted")

    done = diag("catalogue", "learn", "-", stdin=(workdir / name).read_bytes())
    assert (done.returncode, "my-service" in done.stdout) == (0, True)
    assert diag("catalogue", "learn", "gone.log").returncode == 4
    assert diag("catalogue", "learn", "gone.log", name).returncode == 5
    assert diag("catalogue", "learn", "-", stdin=b"").returncode == 3


@pytest.mark.parametrize("command", ["learn", "validate"])
def test_a_place_that_can_take_nothing_is_refused_before_anything_is_read(
    diag, workdir: Path, command: str
) -> None:
    """A day of logs takes minutes."""
    done = diag("catalogue", command, "gone", "--out", "nowhere/x.toml")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "diag: nowhere/x.toml: no such folder as nowhere (make it, or check --out)\n"


def test_a_session_uses_the_catalogue_from_flag_environment_and_file(diag, workdir: Path) -> None:
    """Paths in a settings file are looked for beside it."""
    (workdir / "conf").mkdir()
    write(workdir / "conf", mine=GOOD)
    (workdir / "conf/diag.toml").write_text('[catalogue]\nfiles = ["mine.toml"]\n')
    name = log(workdir, "call accepted", callSid=CALL)

    unknown = diag("session", CALL, name)
    assert (unknown.returncode, "diag catalogue learn" in unknown.stderr) == (3, True)
    by_flag = diag("session", CALL, name, "-o", "json", "--catalogue", "conf/mine.toml")
    by_variable = diag("session", CALL, name, "-o", "json", DIAG_CATALOGUE_FILES="conf/mine.toml")
    by_file = diag("session", CALL, name, "-o", "json", "--config", "conf/diag.toml")
    assert by_flag.stdout == by_variable.stdout == by_file.stdout
    (event,) = json.loads(by_flag.stdout)["timeline"]
    assert (event["service"], event["event"]) == ("gateway", "whip.session")


def test_a_session_with_a_broken_catalogue_is_wrong_usage(diag, workdir: Path) -> None:
    """One line: the first problem, and how to see the others."""
    write(workdir, a="[service.x]\n[idz]\n")
    done = diag("session", CALL, "-", "--catalogue", "a.toml", stdin=b"{}")

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "a.toml:1: unknown key 'service' (did you mean services?" in done.stderr
    assert "1 more: diag catalogue validate a.toml" in done.stderr
