from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.local.errors import StackError
from pipeline.local.plan import Plan, plan_from_environment, with_replicas
from pipeline.local.readiness import choose_ports
from pipeline.local.services import Service
from pipeline.local.stack import Stack
from pipeline.local.state import read_state

NO_KAFKA = "127.0.0.1:9"


@pytest.fixture
def plan(tmp_path, stand_in):
    """`plan(**changes)`: a stack of two stand-ins, without Kafka."""

    def make(*services, **changes):
        two = (Service("orchestrator", stand_in, needs_kafka=True), Service("stt-service", stand_in))
        values = {"services": services or two, "topics": (), "bootstrap": NO_KAFKA, **changes}
        return Plan(tmp_path / "stack", **values)

    return make


def find_pids(state):
    return [*state.daemons.values(), *(pod.pid for pod in state.pods.values())]


def find_ports(state):
    return [int(state.logging.rpartition(":")[2]), *(pod.port for pod in state.pods.values())]


def assert_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


@pytest.fixture
def list_messages(list_entries):
    """`list_messages(state)`: container and message of each entry in the stack's logging server."""

    def ask(state):
        return [
            (entry.resource.labels["container_name"], dict(entry.json_payload)["message"])
            for entry in list_entries(state.logging, "voice-agent-local")
        ]

    return ask


async def test_stack_is_ready_inside_and_gone_after(plan, is_alive, tmp_path):
    """Inside, all parts run, and their addresses are told; after, no process, port or file is left."""
    said = []
    async with Stack(plan(), said.append) as stack:
        state = stack.state
        assert read_state(tmp_path / "stack") == state
        assert all(is_alive(pid) for pid in find_pids(state))

    assert sorted(said) == [
        "Kafka is ready",
        "logging is ready",
        "orchestrator is ready",
        "stt-service is ready",
    ]
    assert not any(is_alive(pid) for pid in find_pids(state))
    for port in find_ports(state):
        assert_free(port)
    assert sorted(path.name for path in (tmp_path / "stack").iterdir()) == [
        "diag.toml",
        "lock",
        "logs",
        "pods",
        "topics.toml",
    ]


async def test_logs_reach_the_logging_server(plan, until, list_messages):
    """What a service writes can be listed, with the service's name as container."""
    async with Stack(plan()) as stack:
        await until(lambda: len(list_messages(stack.state)) == 2)

        assert sorted(list_messages(stack.state)) == [
            ("orchestrator", "Service started"),
            ("stt-service", "Service started"),
        ]


async def test_restart_keeps_pod_and_port(plan, until, list_messages):
    """A restarted service is the same pod with the next restart number and a new process."""
    async with Stack(plan()) as stack:
        before = stack.state.pods["orchestrator"]
        await stack.restart("orchestrator")
        after = stack.state.pods["orchestrator"]
        await until(lambda: ("orchestrator", "Service stopped") in list_messages(stack.state))

    assert (after.name, after.port, after.restarts) == (before.name, before.port, 1)
    assert after.pid not in (None, before.pid)


async def test_unknown_service_is_not_restarted(plan):
    """The error names the services that there are."""
    async with Stack(plan()) as stack:
        with pytest.raises(StackError, match="no service tts in the stack: it has orchestrator, stt-service"):
            await stack.restart("tts")


async def test_killed_service_comes_back(plan, until):
    """What dies while the stack is up is started again by its restart policy."""
    async with Stack(plan()) as stack:
        pid = stack.state.pods["stt-service"].pid
        assert pid
        os.kill(pid, signal.SIGKILL)

        await until(lambda: stack.state.pods["stt-service"].pid not in (None, pid))
        assert stack.state.pods["stt-service"].restarts == 1


async def test_replicas_are_pods_of_their_own(plan, tmp_path):
    """Each has its own port, name and settings; all are told of, and each can be restarted."""
    async with Stack(with_replicas(plan(), {"orchestrator": 2})) as stack:
        await stack.restart("orchestrator-2")
        state = stack.state
        first, second = (state.pods[key] for key in ("orchestrator", "orchestrator-2"))

    assert set(state.pods) == {"orchestrator", "orchestrator-2", "stt-service"}
    assert state.addresses_of("orchestrator") == (f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}")
    assert first.name.rpartition("-")[0] == second.name.rpartition("-")[0]
    assert (first.restarts, second.restarts) == (0, 1)


async def test_service_that_ends_before_it_is_ready(plan, is_alive):
    """The start fails in one line with the service, its exit code and its last word; nothing is left."""
    failing = (sys.executable, "-c", "import sys; print('first'); sys.exit('PORT is wrong')")
    waiting = (sys.executable, "-c", "import time; time.sleep(60)")
    stack = Stack(plan(Service("llm-service", failing), Service("x", waiting)))

    with pytest.raises(
        StackError, match=r"^llm-service ended with code 1 before it was ready: PORT is wrong$"
    ):
        async with stack:
            pass

    assert not any(is_alive(pid) for pid in find_pids(stack.state) if pid)


async def test_service_that_is_never_ready(plan):
    """A service that runs and does not answer is named when its time is over."""
    silent = ("sh", "-c", "echo loading; exec sleep 60")

    with pytest.raises(StackError, match=r"^tts-service is not ready after 3 s: loading$"):
        async with Stack(plan(Service("tts-service", silent), ready_s=3.0)):
            pass


async def test_second_stack_is_refused(plan):
    """The folder of a running stack is not touched by another."""
    async with Stack(plan()) as stack:
        with pytest.raises(StackError, match=r"a stack runs in .* already"):
            async with Stack(plan()):
                pass
        await stack.restart("orchestrator")


async def test_kafka_that_does_not_answer_is_named(plan, monkeypatch):
    """A broker that was named and is not there ends the start."""
    monkeypatch.setattr("pipeline.local.stack._EXTERNAL_KAFKA_S", 0.2)
    (port,) = choose_ports(1)
    topics = plan_from_environment(Path("x")).topics

    with pytest.raises(StackError, match=f"Kafka at 127.0.0.1:{port} does not answer"):
        async with Stack(plan(bootstrap=f"127.0.0.1:{port}", topics=topics)):
            pass


async def test_part_that_ends_is_reported(plan):
    """A stack whose logging server or agent has ended is no stack any more."""
    async with Stack(plan()) as stack:
        watching = asyncio.create_task(stack.watch())
        os.kill(stack.state.daemons["log-agent"], signal.SIGKILL)

        with pytest.raises(StackError, match=r"^log-agent has ended: "):
            await asyncio.wait_for(watching, 60)


async def test_cancelled_start_leaves_nothing(plan, is_alive):
    """A start that is given up half-way is undone."""
    silent = (sys.executable, "-c", "import time; time.sleep(60)")
    stack = Stack(plan(Service("tts-service", silent)))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0), stack:
            pass

    assert not any(is_alive(pid) for pid in find_pids(stack.state) if pid)


def test_killed_supervisor_leaves_nothing(plan, stand_in, tmp_path, eventually, is_alive):
    """A supervisor that is killed takes all parts with it, and its folder is free for the next stack."""
    script = f"""
import asyncio
from pathlib import Path
from pipeline.local.plan import Plan
from pipeline.local.services import Service
from pipeline.local.stack import Stack

async def main():
    services = (Service("orchestrator", {stand_in!r}),)
    async with Stack(Plan(Path({str(tmp_path / "stack")!r}), (), services, {NO_KAFKA!r})):
        print("up", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout
        supervisor.stdout.readline()
        state = read_state(tmp_path / "stack")
        supervisor.send_signal(signal.SIGKILL)

    eventually(lambda: not any(is_alive(pid) for pid in find_pids(state)))

    async def start_again():
        async with Stack(plan()) as stack:
            return stack.state.supervisor

    assert asyncio.run(start_again()) == os.getpid()


def test_environment_names_a_broker(monkeypatch, tmp_path):
    """KAFKA_BOOTSTRAP is used instead of a broker of the stack's own."""
    assert plan_from_environment(tmp_path).bootstrap is None
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9092")

    assert plan_from_environment(tmp_path).bootstrap == "127.0.0.1:9092"


@pytest.mark.part("kafka")
async def test_whole_stack_with_its_own_kafka(plan, is_alive):
    """With its own broker the stack makes its topics, all but the forgotten one, and removes the data."""
    from pipeline.local.kafka_admin import STANDING_TOPICS, list_topics  # noqa: PLC0415

    async with Stack(plan(bootstrap=None, topics=STANDING_TOPICS)) as stack:
        state = stack.state
        names = await list_topics(state.kafka)

    assert names == {"audio-in", "audio-out", "llm-requests", "session-events", "tts-results"}
    assert not is_alive(state.daemons["kafka"])
    assert_free(int(state.kafka.rpartition(":")[2]))
