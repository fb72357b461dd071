"""Streams that are closed, full or of a poor encoding, and places that can not be written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from diag.config import name_variables

from .conftest import DIAG, clean_environment

S = "session_1753615601372_cz4gw0fl5"
SICK = "id-mismatch/fires-joined-by-trace"
TOO_LONG = "x" * 5000


@pytest.fixture
def shell(workdir: Path):
    """Runs a line of bash in which $DIAG is the program: only a shell can close and redirect streams."""

    def run(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        variables = {**clean_environment(workdir), "DIAG": str(DIAG), "S": S, **environment}
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"],
            cwd=workdir, capture_output=True, timeout=60, check=False, env=variables,
        )  # fmt: skip

    return run


def one_line(raw: bytes) -> bool:
    return raw.count(b"\n") == 1 and raw.startswith(b"diag: ")


def test_a_closed_stdin_is_a_source_that_failed(shell) -> None:
    """Said in the coverage, like a file that is not there."""
    done = shell("$DIAG session $S - <&-")

    assert done.returncode == 4
    assert b"stdin: it is closed" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("output", "place"),
    [("terminal", ">/dev/full"), ("terminal", ">&-"), ("json", ">&-"), ("markdown", ">/dev/full")],
)
def test_a_result_that_can_not_be_written_is_said_and_the_report_kept(
    shell, logs, workdir: Path, output: str, place: str
) -> None:
    """One line, no traceback, and never exit 0."""
    done = shell(f"$DIAG session $S {logs(SICK)} -q -o {output} --report r.md {place}")

    assert done.returncode == 2
    assert one_line(done.stderr)
    assert b"stdout: " in done.stderr
    assert (workdir / "r.md").read_text().endswith("**Status: BROKEN**\n")


@pytest.mark.parametrize("output", ["terminal", "json"])
def test_a_reader_who_has_seen_enough_changes_nothing(shell, logs, output: str) -> None:
    """``| head -1``: the exit code of the session, and the report's name."""
    done = shell(f"$DIAG session $S {logs(SICK)} -o {output} --report r.md | true")

    assert (done.returncode, done.stderr) == (12, b"r.md\n")


@pytest.mark.parametrize("place", ["2>/dev/full", "2>&-"])
def test_a_lost_stderr_costs_nothing(shell, logs, place: str) -> None:
    """Neither the result nor its code."""
    done = shell(f"$DIAG session $S {logs(SICK)} {place}")

    assert done.returncode == 12
    assert b"BROKEN" in done.stdout
    assert shell(f"$DIAG session {place}").returncode == 2


def test_the_module_is_the_command(shell, logs) -> None:
    """``python -m diag``, for who has no script on the path."""
    done = shell(f"{sys.executable} -m diag session $S {logs(SICK)} --report none")

    assert done.returncode == 12
    assert b"BROKEN" in done.stdout


@pytest.mark.parametrize("arguments", ["--version", "session --help", "topics --help"])
def test_help_that_can_not_be_printed_is_one_line(shell, arguments: str) -> None:
    """Not a traceback."""
    done = shell(f"$DIAG {arguments} > /dev/full")

    assert done.returncode == 2
    assert one_line(done.stderr)


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
@pytest.mark.parametrize("output", ["terminal", "markdown"])
def test_what_stdout_can_not_encode_is_replaced(shell, logs, environment, output: str) -> None:
    """Of the view, of file names, and of the ID."""
    done = shell(f"$DIAG session $S {logs(SICK)} sess\u00efon.log -o {output}", **environment)
    unknown = shell(f"$DIAG session sess\u00efon {logs(SICK)} -o {output}", **environment)

    assert (done.returncode, unknown.returncode) == (12, 3)
    assert b"Traceback" not in done.stderr + unknown.stderr


@pytest.mark.parametrize("output", ["terminal", "json"])
def test_bytes_that_are_no_text_pass_no_further_than_the_command_line(shell, logs, output: str) -> None:
    """As an ID and as a file's name."""
    done = shell(f"$DIAG session $'a\\xff' {logs(SICK)} $'b\\xff.log' -o {output} --report none")

    assert (done.returncode, done.stderr) == (4 + 1, b"")
    assert "b\ufffd.log" in (
        json.loads(done.stdout)["query"]["files"] if output == "json" else done.stdout.decode()
    )


@pytest.mark.parametrize(
    "environment",
    [{"COLUMNS": "20"}, {"COLUMNS": "garbage"}, {"COLUMNS": "-1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}],
)
def test_the_terminal_s_variables_harm_nothing(shell, logs, environment: dict[str, str]) -> None:
    """The view is the same 80 columns in every pipe."""
    line = f"$DIAG session $S {logs(SICK)} --report none"

    assert shell(line, **environment).stdout == shell(line).stdout
    assert shell("$DIAG session --help", **environment).returncode == 0


def test_a_home_or_a_folder_that_is_gone_is_none_of_our_business(shell, logs, workdir: Path) -> None:
    """Nothing is read from either."""
    name = workdir / logs(SICK)

    assert shell(f"env -u HOME $DIAG session $S {name} --report none").returncode == 12
    done = shell(f"mkdir gone; cd gone; rmdir ../gone; $DIAG session $S {name}")
    assert done.returncode == 12
    assert b"the report was not written" in done.stderr


@pytest.mark.parametrize("out", [".", "gone/a.json", TOO_LONG, "/dev/full"])
def test_an_out_that_can_not_be_written_is_one_line(shell, logs, workdir: Path, out: str) -> None:
    """Exit 2; a report that was asked for is written where there is something to report."""
    done = shell(f"$DIAG session $S {logs(SICK)} -o json --out {out}")

    assert (done.returncode, done.stdout) == (2, b"")
    assert one_line(done.stderr)


def test_a_hopeless_out_is_refused_before_anything_is_read(shell) -> None:
    """Reading may take minutes."""
    started = shell("$DIAG session $S --project p --logging-endpoint http://127.0.0.1:9 --out /")

    assert started.returncode == 2
    assert b"is a folder" in started.stderr


@pytest.mark.parametrize("place", [".", "a.file/r.md", TOO_LONG, "/dev/full", "''"])
def test_a_report_that_can_not_be_written_costs_a_line(shell, logs, workdir: Path, place: str) -> None:
    """Never the result."""
    (workdir / "a.file").touch()
    done = shell(f"$DIAG session $S {logs(SICK)} --report {place}")

    assert done.returncode == 12
    assert b"BROKEN" in done.stdout
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("name", [TOO_LONG, "a.file/b", "'a\nb'"])
def test_a_name_that_is_no_file_is_a_note(shell, workdir: Path, name: str) -> None:
    """The source failed, diag did not."""
    (workdir / "a.file").touch()
    done = shell(f"$DIAG session $S {name}")

    assert done.returncode == 4
    assert done.stderr == b""


@pytest.mark.parametrize("value", ["inf", "1e9"])
def test_a_number_out_of_bounds_is_wrong_from_wherever_it_comes(shell, workdir: Path, value: str) -> None:
    """One line: the setting, where it came from, and what is allowed."""
    (workdir / "my.toml").write_text(f"[logging]\nquota = {value}\n")
    lines = {
        "the environment": f"DIAG_LOGGING_QUOTA={value} $DIAG session $S x",
        "the command line": f"$DIAG session $S x --quota={value}",
        "my.toml:2": "$DIAG session $S x --config my.toml",
    }
    for origin, line in lines.items():
        done = shell(line)

        assert (done.returncode, done.stdout) == (2, b"")
        assert one_line(done.stderr)
        assert b"Traceback" not in done.stderr
        assert (
            f"diag: {origin}: logging.quota must be a whole number from 1 to 6,000, not"
            in done.stderr.decode()
        )


@pytest.mark.parametrize(
    "prepare",
    ["mkdir diag.toml", "printf '\\377\\000\\376' > diag.toml", "ln -s gone diag.toml", "echo [ > diag.toml",
     "printf 'a = %s' \"$(printf '%9000s' | tr ' ' '[')\" > diag.toml",
     "printf 'a = %s' \"$(printf '%9000s' | tr ' ' 9)\" > diag.toml"],
)  # fmt: skip
def test_settings_that_can_not_be_read_are_said(shell, prepare: str) -> None:
    """A diag.toml that lies here is meant."""
    done = shell(f"{prepare}; $DIAG session $S x")

    assert done.returncode == 2
    assert one_line(done.stderr)
    assert re.match(rb"diag: diag\.toml:(1:)? ", done.stderr)


def test_the_help_lists_every_setting(shell) -> None:
    """As the README promises."""
    words = shell("$DIAG session --help").stdout.decode().replace(",", " ").split()

    assert set(name_variables()) <= {word.rstrip(".") for word in words}


def test_the_program_is_the_one_of_this_checkout(shell) -> None:
    """Wherever it is installed."""
    python = shlex.quote(str(DIAG.with_name("python")))

    found = shell(f"{python} -c 'import diag; print(diag.__file__)'").stdout.decode().strip()
    assert Path(found).is_relative_to(Path(os.path.realpath(__file__)).parents[2])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("session", "diag: missing argument 'ID' (diag session -h tells what there is)"),
        ("sesion", "diag: no such command 'sesion'. Did you mean 'session', 'sessions'? (diag -h"),
        ("session $S a.json -o xml", "'xml' is not one of 'terminal', 'markdown', 'json' (diag session -h"),
        ("sessions a.json --no-replyy", "diag: no such option: --no-replyy (Possible options: --no-reply) ("),
        ("lql check a=1 b=2", "diag: got unexpected extra argument(s) (b=2) (diag lql check -h"),
        ("$'\\e[31mred'", "diag: no such command '\\x1b[31mred'"),
    ],
)
def test_words_that_are_no_command_are_told_in_one_line(shell, words: str, said: str) -> None:
    """Like every other error; a box of five lines is torn apart where lines are collected."""
    done = shell(f"$DIAG {words}")

    assert (done.returncode, done.stdout) == (2, b"")
    assert one_line(done.stderr)
    assert said in done.stderr.decode()


def test_words_of_any_length_are_told_in_a_short_line(shell) -> None:
    """Somebody pasted a log where a word belongs."""
    done = shell("$DIAG lql check severity=ERROR $(printf 'x%.0s' {1..9000})")

    assert done.returncode == 2
    assert one_line(done.stderr)
    assert len(done.stderr) < 500


@pytest.mark.parametrize("words", ["", "config", "catalogue", "lql"])
def test_a_group_alone_prints_its_help(shell, words: str) -> None:
    """And is wrong usage: a script that forgot the rest must not go on."""
    done = shell(f"$DIAG {words}")

    assert (done.returncode, done.stderr) == (2, b"")
    assert b"Usage: diag" in done.stdout


FULL = "export PYTHONDONTWRITEBYTECODE=1; ulimit -f 1;"
"""No file may grow past a kilobyte: what a disk does that is nearly full. Python would keep halves of modules."""


@pytest.mark.parametrize("options", ["--report kept.md", "--out kept.md", "-o json --out kept.md"])
def test_a_full_disk_costs_nothing_that_was_there(shell, logs, workdir: Path, options: str) -> None:
    """Yesterday's report is worth more than half of today's."""
    (workdir / "kept.md").write_text("of yesterday\n")
    name = logs(SICK)
    before = sorted(path.name for path in workdir.iterdir())

    done = shell(f"{FULL} $DIAG session $S {name} --report none {options}")

    assert one_line(done.stderr)
    assert b"kept.md: File too large" in done.stderr
    assert (workdir / "kept.md").read_text() == "of yesterday\n"
    assert sorted(path.name for path in workdir.iterdir()) == before


def test_a_settings_file_that_did_not_fit_can_be_asked_for_again(shell, workdir: Path) -> None:
    """The first half of one would be there already, and all that is in it would count."""
    full = shell(f"{FULL} $DIAG config init")
    assert (full.returncode, one_line(full.stderr)) == (2, True)

    assert shell("$DIAG config init").returncode == 0


def test_a_file_that_is_written_again_stays_what_it_is(shell, logs, workdir: Path) -> None:
    """Its rights, a link to it, and a pipe in its place."""
    real = workdir / "real.md"
    real.write_text("of yesterday\n")
    real.chmod(0o640)
    (workdir / "link.md").symlink_to("real.md")

    done = shell(f"$DIAG session $S {logs(SICK)} --report link.md --out /dev/stdout | grep -c BROKEN")

    assert done.stdout == b"1\n"
    assert (workdir / "link.md").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "BROKEN" in real.read_text()
