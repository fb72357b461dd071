from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.local.errors import StackError
from pipeline.local.plan import Plan
from pipeline.local.services import Service
from pipeline.local.stack import Stack
from pipeline.local.state import read_state
from pipeline.local.supervisor import supervise

KEEP = """
import sys
from pathlib import Path
from pipeline.local.back_off import RestartPolicy
from pipeline.local.plan import Plan
from pipeline.local.services import Service
from pipeline.local.stack import Stack
from pipeline.local.supervisor import keep, supervise

async def use(stack):
    print("up", flush=True)
    return await keep(stack)

services = (Service("orchestrator", tuple(sys.argv[2:])),)
plan = Plan(Path(sys.argv[1]), (), services, "127.0.0.1:9", RestartPolicy(grace_s=200))
sys.exit(supervise(Stack(plan), use))
"""
DEAF = """
import os, signal, socket, time
signal.signal(signal.SIGTERM, lambda *_: print("asked to stop", flush=True))
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    connection, _ = server.accept()
    connection.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    connection.close()
"""


@pytest.fixture
def stack(tmp_path, stand_in):
    return Stack(Plan(tmp_path / "stack", (), (Service("orchestrator", stand_in),), "127.0.0.1:9"))


def find_pids(state):
    return [*state.daemons.values(), *(pod.pid for pod in state.pods.values())]


def test_exit_code_is_that_of_the_use(stack):
    """What is done with the stack decides the exit code, and the stack is gone after it."""

    async def use(stack):
        return len(stack.state.pods) + 6

    assert supervise(stack, use) == 7


def test_error_of_the_use_is_passed_on(stack, is_alive):
    """An error ends the stack in order and reaches the caller as it is."""
    pids = []

    async def use(stack):
        pids.extend(find_pids(stack.state))
        raise StackError("the call was not made")

    with pytest.raises(StackError, match=r"^the call was not made$"):
        supervise(stack, use)

    assert not any(is_alive(pid) for pid in pids)


def test_part_that_ends_ends_the_use(stack):
    """Where the agent dies nobody waits for calls to time out, and the reason is told."""

    async def use(stack):
        os.kill(stack.state.daemons["log-agent"], signal.SIGKILL)
        await asyncio.sleep(60)
        return 0

    with pytest.raises(StackError, match=r"^log-agent has ended: "):
        supervise(stack, use)


@pytest.fixture
def start_supervisor(tmp_path):
    """`start_supervisor(command)`: a process that keeps a stack of one service; its state, once up."""
    processes = []

    def start(command):
        argv = (sys.executable, "-c", KEEP, str(tmp_path / "stack"), *command)
        processes.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        assert processes[-1].stdout.readline() == b"up\n"
        return processes[-1], read_state(tmp_path / "stack")

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_in_order(start_supervisor, stand_in, tmp_path, is_alive, number):
    """Ctrl-C, SIGTERM and a closed terminal end the stack, services with their last lines, quietly."""
    supervisor, state = start_supervisor(stand_in)

    supervisor.send_signal(number)

    assert supervisor.wait(60) == 130
    assert supervisor.communicate() == (b"", b"")
    assert not any(is_alive(pid) for pid in find_pids(state))
    (log,) = (tmp_path / "stack" / "pods").glob("*/orchestrator/0.log")
    assert b"Service stopped" in log.read_bytes()


def test_second_signal_is_quick(start_supervisor, tmp_path, is_alive, eventually):
    """Whoever is in a hurry does not wait for a service that does not listen."""
    supervisor, state = start_supervisor((sys.executable, "-c", DEAF))
    (log,) = (tmp_path / "stack" / "pods").glob("*/orchestrator/0.log")

    supervisor.send_signal(signal.SIGINT)
    eventually(lambda: b"asked to stop" in log.read_bytes())  # and it goes on, for the 200 s of its grace
    start = time.monotonic()
    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(60) == 130
    assert time.monotonic() - start < 60
    assert not any(is_alive(pid) for pid in find_pids(state))
