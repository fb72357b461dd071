from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "pipeline")
# the commands over a stack of one stand-in, without Kafka
STAND_IN_STACK = """
import sys
from pipeline import __main__ as program
from pipeline.local import plan
from pipeline.local.services import Service

service = Service("orchestrator", (sys.argv.pop(1), sys.argv.pop(1)))
plan.plan_from_environment = lambda folder, topics=(): plan.Plan(folder, (), (service,), "127.0.0.1:9")
program.main()
"""


def run(*words, **environment):
    return subprocess.run(
        (*COMMAND, *words),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command():
    """Whoever asks is told what there is."""
    output = run("--help").stdout

    for command in ("parts", "up", "restart", "call", "demo"):
        assert f"\n  {command} " in output
    assert "topics" in run("demo", "--help").stdout


def test_missing_parts_are_listed(tmp_path):
    """Something missing is exit code 1, and the list says how to get it."""
    result = run("parts", PATH=str(tmp_path), JAVA_HOME="", XDG_CACHE_HOME=str(tmp_path))

    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 4
    assert "flite         missing  no flite on PATH; get it: apt-get install --yes flite" in result.stdout


def test_install_that_cannot_install_is_no_failure(tmp_path):
    """Where parts cannot be installed there is one line each, and tests go on without them."""
    result = run("parts", "--install", PATH=str(tmp_path), JAVA_HOME="", XDG_CACHE_HOME=str(tmp_path))

    assert result.returncode == 0
    missing = [line for line in result.stderr.splitlines() if " is missing (" in line]
    assert [line.split()[0] for line in missing] == ["java", "maven", "flite", "kafka"]


@pytest.mark.parametrize("words", [("call",), ("restart", "orchestrator")])
def test_no_stack_is_one_line(tmp_path, words):
    """What needs a stack says that there is none, without a traceback."""
    result = run(*words, "--folder", str(tmp_path))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"no stack runs in {tmp_path}: start one with python -m pipeline up\n"


@pytest.fixture
def up(tmp_path, stand_in):
    """A stack that was started by `up`, its process, and what it has said until it was ready."""
    argv = (sys.executable, "-c", STAND_IN_STACK, *stand_in, "up", "--folder", str(tmp_path / "s"))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        assert process.stdout
        while not lines or "diag session" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()
        yield process, lines
        process.kill()


def test_up_tells_what_to_do_and_ends_with_ctrl_c(up, tmp_path):
    """The addresses and the lines to paste, which name this stack's folder; Ctrl-C is the normal end."""
    process, lines = up

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == 0
    assert lines[0] == "the stack is up; Ctrl-C ends it\n"
    assert any(line.startswith("  orchestrator  http://127.0.0.1:") for line in lines)
    programs = os.path.relpath(Path(sys.executable).parent)
    assert lines[-2] == f"{programs}/python -m pipeline call --folder {tmp_path / 's'}\n"
    assert lines[-1] == f"{programs}/diag session SESSION_ID --config {tmp_path / 's' / 'diag.toml'}\n"
    assert "orchestrator is ready" in process.communicate()[1]


def test_restart_of_a_running_stack(up, tmp_path):
    """A service of the stack in the folder is restarted from another terminal."""
    result = run("restart", "orchestrator", "--folder", str(tmp_path / "s"))

    assert result.returncode == 0, result.stderr
    assert "is ready again, restart 1" in result.stdout


def test_second_up_is_one_line(up, tmp_path, stand_in):
    """A folder has one stack."""
    argv = (sys.executable, "-c", STAND_IN_STACK, *stand_in, "up", "--folder", str(tmp_path / "s"))

    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 1
    assert result.stderr == f"a stack runs in {tmp_path}/s already: end it, or name another folder\n"
