from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from pipeline.local.back_off import BackOff, RestartPolicy
from pipeline.local.containers import Container, ContainerSpec
from pipeline.local.cri import log_path, parse_line
from pipeline.local.pods import mint_pod

QUICK = RestartPolicy(first_s=0.05, longest_s=0.2, stable_s=60, grace_s=5)
WAITS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('asked'), sys.exit(0))); print('up', flush=True); time.sleep(60)"


@pytest.fixture
async def run_container(tmp_path):
    """`run_container(script)`: a started container; it is stopped after the test."""
    containers = []

    async def start(script, policy=QUICK, environment=None, on_change=lambda _: None):
        spec = ContainerSpec(
            mint_pod("service", "ns", "t"), (sys.executable, "-c", script), environment or {}
        )
        container = Container(spec, tmp_path, policy, on_change)
        containers.append(container)
        await container.start()
        return container

    yield start
    for container in containers:
        await container.stop()


def read_log(tmp_path, container, restart=0):
    path = log_path(tmp_path, container.spec.pod, restart)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [parse_line(line) for line in lines]


def read_texts(tmp_path, container, restart=0):
    return [line.piece.content.decode() for line in read_log(tmp_path, container, restart) if line]


async def test_both_streams_are_logged_line_by_line(tmp_path, run_container, until):
    """Each line is stamped when it arrives, with the stream that it came on."""
    before = time.time_ns()
    container = await run_container(
        "import sys, time; print('one', flush=True); print('two', file=sys.stderr, flush=True); time.sleep(60)"
    )
    await until(lambda: len(read_log(tmp_path, container)) == 2)

    lines = read_log(tmp_path, container)

    assert {(line.stream, line.piece.content) for line in lines} == {("stdout", b"one"), ("stderr", b"two")}
    assert all(line.time[:4] == time.strftime("%Y", time.gmtime(before / 1e9)) for line in lines)


async def test_long_line_is_cut(tmp_path, run_container, until):
    """A line over 16 KiB is written in pieces, as containerd writes it."""
    container = await run_container("print('x' * 40000, flush=True); import time; time.sleep(60)")
    await until(lambda: len(read_log(tmp_path, container)) == 3)

    pieces = [line.piece for line in read_log(tmp_path, container)]

    assert [len(piece.content) for piece in pieces] == [16384, 16384, 7232]
    assert [piece.partial for piece in pieces] == [True, True, False]


async def test_environment_is_the_containers_own(tmp_path, run_container, monkeypatch, until):
    """A container sees what its pod says and nothing of the shell that the stack was started from."""
    monkeypatch.setenv("FROM_THE_SHELL", "x")
    container = await run_container(
        "import os, json, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(60)",
        environment={"PORT": "8001"},
    )
    await until(lambda: read_texts(tmp_path, container))

    seen = json.loads(read_texts(tmp_path, container)[0])

    assert seen["PORT"] == "8001"
    assert "FROM_THE_SHELL" not in seen


async def test_what_ends_is_started_again(tmp_path, run_container, until):
    """Under `Always`: same pod, next restart number, next log file; the exit code is kept."""
    container = await run_container("import sys; print('run'); sys.exit(3)")
    pod = container.spec.pod
    await until(lambda: container.restarts >= 2)

    assert container.exit_code == 3
    assert container.spec.pod == pod
    assert read_texts(tmp_path, container, 0) == read_texts(tmp_path, container, 1) == ["run"]


async def test_crashes_in_a_row_are_slowed_down(run_container, until):
    """Each crash waits longer than the one before, up to the longest wait."""
    starts = []
    policy = RestartPolicy(first_s=0.2, longest_s=0.4, stable_s=60)
    await run_container(
        "raise SystemExit(1)", policy, on_change=lambda c: starts.append(time.monotonic()) if c.pid else None
    )
    await until(lambda: len(starts) == 4)

    _, second, third = (later - earlier for earlier, later in pairwise(starts))

    assert second >= 0.2
    assert third >= 0.4


@pytest.mark.parametrize(
    ("runs_s", "waits_s"),
    [
        ((0, 0, 0, 0, 0, 0), (0, 1, 2, 4, 5, 5)),
        ((0, 0, 20, 0, 0), (0, 1, 0, 1, 2)),
        ((20, 20, 20), (0, 0, 0)),
    ],
)
def test_back_off_doubles_and_forgives(runs_s, waits_s):
    """At once, then doubling up to the longest; a stable run begins anew."""
    back_off = BackOff(RestartPolicy(first_s=1, longest_s=5, stable_s=10))

    assert tuple(back_off.wait_s(ran_s) for ran_s in runs_s) == waits_s


async def test_restart_is_asked_for_and_at_once(tmp_path, run_container, until):
    """A restart gives the service its SIGTERM, and the next run begins without any wait."""
    container = await run_container(WAITS, RestartPolicy(first_s=60, longest_s=60, stable_s=3600))
    await until(lambda: read_texts(tmp_path, container) == ["up"])
    old = container.pid

    await container.restart()
    await until(lambda: read_texts(tmp_path, container, 1) == ["up"])
    await container.restart()

    assert read_texts(tmp_path, container, 0) == ["up", "asked"]
    assert container.restarts == 2
    assert container.pid not in (None, old)


async def test_restart_kills_what_does_not_listen(tmp_path, run_container, until):
    """After the grace the next run begins all the same."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    container = await run_container(stubborn, RestartPolicy(grace_s=0.1))
    await until(lambda: read_texts(tmp_path, container) == ["up"])

    await container.restart()

    assert container.exit_code == -signal.SIGKILL
    assert container.pid


async def test_stop_keeps_the_last_lines(tmp_path, run_container, is_alive, until):
    """What a service says while it stops is in its log, and no run follows."""
    container = await run_container(WAITS)
    await until(lambda: read_texts(tmp_path, container) == ["up"])
    pid = container.pid

    await container.stop()

    assert read_texts(tmp_path, container) == ["up", "asked"]
    assert not is_alive(pid)
    assert container.pid is None
    assert not log_path(tmp_path, container.spec.pod, 1).exists()


async def test_stop_during_back_off(run_container, until):
    """A container that waits for its next run is stopped without that wait."""
    container = await run_container(
        "raise SystemExit(1)", RestartPolicy(first_s=60, longest_s=60, stable_s=3600)
    )
    await until(lambda: container.restarts == 1 and container.pid is None and container.exit_code == 1)
    start = time.monotonic()

    await container.stop()

    assert time.monotonic() - start < 30  # of 60 s


async def test_orphans_do_not_keep_a_run_open(run_container, until):
    """A child that holds the output open ends with its container."""
    child = "import time; time.sleep(60)"
    container = await run_container(
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); sys.exit(5)"
    )

    await until(lambda: container.restarts >= 1)

    assert container.exit_code == 5


def test_containers_end_with_a_killed_supervisor(tmp_path, eventually, is_alive):
    """A supervisor that is killed leaves no service behind."""
    script = f"""
import asyncio, sys
from pathlib import Path
from pipeline.local.back_off import RestartPolicy
from pipeline.local.containers import Container, ContainerSpec
from pipeline.local.pods import mint_pod

async def main():
    spec = ContainerSpec(mint_pod("s", "ns", "t"), (sys.executable, "-c", "import time; time.sleep(60)"), {{}})
    container = Container(spec, Path({str(tmp_path)!r}), RestartPolicy())
    await container.start()
    print(container.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        child = int(supervisor.stdout.readline())
        assert is_alive(child)
        supervisor.send_signal(signal.SIGKILL)

    eventually(lambda: not is_alive(child))
