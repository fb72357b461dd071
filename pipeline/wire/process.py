"""A process that never outlives the one that started it.

Two ways in: a Python process calls `die_with_parent` first thing; any other program is started by
its `bound_command`, which runs this file, asks the kernel and then becomes that program.

The second way replaces ``preexec_fn``, which is unsafe in a parent that has threads. This file
imports nothing of ours, so that the detour costs an interpreter's start and no more.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

# linux/prctl.h; the request survives execve (prctl(2))
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Have this process killed when the thread that started it ends, even by SIGKILL.

    Linux only; elsewhere nothing happens. `parent_pid` closes the gap between the start and this
    call: where the parent is gone already, the process ends at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(128 + signal.SIGKILL)


def bound_command(argv: Sequence[str]) -> tuple[str, ...]:
    """The command that becomes `argv` and is killed when the thread ends that starts it."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), *argv)


def _become(parent_pid: str, *command: str) -> None:
    die_with_parent(int(parent_pid))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted: the command is an argument list
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(127)  # what a shell answers for a command that it cannot run


if __name__ == "__main__":
    _become(*sys.argv[1:])
