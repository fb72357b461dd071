from __future__ import annotations

import asyncio
import sys
import time
from types import SimpleNamespace

import pytest

from pipeline.local.processes import Daemon, base_environment, kill_group, run, stop

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


async def start_daemon(tmp_path, script, *arguments):
    argv = (sys.executable, "-c", script, *arguments)
    return await Daemon.start("part", argv, base_environment(tmp_path), tmp_path / "logs" / "part.log")


async def test_daemon_writes_both_streams_to_one_log(tmp_path):
    """What a part says, on whichever stream, can be read after its end."""
    daemon = await start_daemon(
        tmp_path, "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"
    )

    assert await daemon.wait() == 3
    assert not daemon.running
    assert sorted(daemon.tail()) == ["one", "two"]


async def test_last_line_of_a_silent_daemon(tmp_path):
    """There is something to show in an error, whatever the part has written."""
    daemon = await start_daemon(tmp_path, "print(); print('   ')")
    await daemon.wait()

    assert daemon.last_line() == "no output"


async def test_stop_asks_first(tmp_path, until):
    """SIGTERM gives a part the time to put its things in order."""
    script = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit('orderly')); print('up', flush=True); time.sleep(60)"
    daemon = await start_daemon(tmp_path, script)
    await until(lambda: daemon.last_line() == "up")

    await daemon.stop(grace_s=10)

    assert daemon.last_line() == "orderly"


async def test_stop_does_not_wait_for_ever(tmp_path, until):
    """What ignores SIGTERM is killed when its time is over."""
    daemon = await start_daemon(tmp_path, STUBBORN)
    await until(lambda: daemon.last_line() == "up")
    start = time.monotonic()

    await daemon.stop(grace_s=0.2)

    assert not daemon.running
    assert time.monotonic() - start < 30  # of the 60 s that it would go on


async def test_stop_of_what_has_ended_is_nothing(tmp_path):
    """A part may end by itself before it is asked to."""
    daemon = await start_daemon(tmp_path, "pass")
    await daemon.wait()

    await daemon.stop(grace_s=10)


async def test_children_of_a_daemon_end_with_it(tmp_path, is_alive, until):
    """What a part has started in its session is ended with it."""
    script = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.DEVNULL); print(child.pid, flush=True); child.wait()"
    daemon = await start_daemon(tmp_path, script)
    await until(lambda: daemon.last_line().isdecimal())
    child = int(daemon.last_line())

    await daemon.stop(grace_s=5)

    await until(lambda: not is_alive(child))


def test_environment_is_the_stacks_own(tmp_path, monkeypatch):
    """Of the user's environment only what programs are found with is passed on."""
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("PATH", "/bin")

    environment = base_environment(tmp_path)

    assert environment["PATH"] == "/bin"
    assert environment["TMPDIR"] == str(tmp_path)
    assert "SECRET_TOKEN" not in environment


async def test_run_gives_what_was_captured():
    """Exit code and both streams come back."""
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(4)"

    assert await run((sys.executable, "-c", script), capture=True, quiet=True) == (4, "out\n", "err\n")


async def test_run_leaves_the_terminal_to_the_program(capfd):
    """What is not captured goes where this process writes."""
    code, output, _ = await run((sys.executable, "-c", "print('to the user')"))

    assert (code, output) == (0, "")
    assert capfd.readouterr().out == "to the user\n"


async def test_cancelled_run_leaves_nothing(tmp_path, is_alive, until):
    """A program ends with whoever waits for it."""
    pid_file = tmp_path / "pid"
    script = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid()) + '.'); time.sleep(60)"
    running = asyncio.create_task(run((sys.executable, "-c", script)))
    await until(lambda: pid_file.exists() and pid_file.read_text().endswith("."))

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_alive(int(pid_file.read_text()[:-1]))


async def test_stop_returns_the_exit_code(tmp_path):
    """The exit code of a process that was stopped says how it took it."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", start_new_session=True)
    await process.wait()

    assert await stop(process, grace_s=1) == 0


async def test_a_number_that_somebody_else_has_by_now_is_left_alone(tmp_path, is_alive):
    """A part may have ended long ago, and the kernel gives its number away again."""
    stranger = await start_daemon(tmp_path, "import time; time.sleep(60)")
    ended = SimpleNamespace(pid=stranger.pid, returncode=0)

    kill_group(ended)
    assert is_alive(stranger.pid)
    assert stranger.running
    await stranger.stop(grace_s=10)


async def test_what_a_part_that_has_ended_left_behind_is_killed(tmp_path, is_alive, until):
    """Its group is known by its number, which nobody else can have meanwhile."""
    script = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid)"
    daemon = await start_daemon(tmp_path, script)
    await daemon.wait()
    left = int(daemon.last_line())
    assert is_alive(left)

    daemon.kill()
    await until(lambda: not is_alive(left))
