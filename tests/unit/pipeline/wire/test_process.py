from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from pipeline.wire.process import bound_command


def test_command_becomes_the_program():
    """The program runs with the process ID, the arguments and the exit code that it would have had."""
    script = "import os, sys; print(os.getpid(), *sys.argv[1:]); sys.exit(7)"

    process = subprocess.Popen(
        bound_command([sys.executable, "-c", script, "a b", "c"]), stdout=subprocess.PIPE
    )
    output, _ = process.communicate(timeout=60)

    assert output.decode().split(maxsplit=1) == [str(process.pid), "a b c\n"]
    assert process.returncode == 7


def test_program_that_cannot_be_run_is_named():
    """As a shell does: one line and exit code 127."""
    result = subprocess.run(bound_command(["/no/such/program"]), capture_output=True, timeout=60, check=False)

    assert result.returncode == 127
    assert result.stderr == b"/no/such/program: No such file or directory\n"


def test_program_ends_with_its_parent():
    """A parent that is killed takes the program with it, without a chance to do anything about it."""
    script = (
        "import subprocess, sys, time\n"
        "from pipeline.wire.process import bound_command\n"
        "child = subprocess.Popen(bound_command([sys.executable, '-c', 'print(1, flush=True); input()']),\n"
        "                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)

    # a process file descriptor is readable once its process has ended (pidfd_open(2))
    readable, _, _ = select.select([child], [], [], 60)
    os.close(child)
    assert readable


def test_parent_that_is_gone_already_is_noticed():
    """Whoever is started for a parent that has ended meanwhile ends too."""
    command = list(bound_command([sys.executable, "-c", "print('alive')"]))
    command[command.index(str(os.getpid()))] = "1" if os.getppid() != 1 else "2"

    result = subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert (result.returncode, result.stdout) == (128 + signal.SIGKILL, b"")
