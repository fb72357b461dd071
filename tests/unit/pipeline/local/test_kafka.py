from __future__ import annotations

import socket

import pytest

from pipeline.local.errors import StackError
from pipeline.local.kafka import KafkaBroker, KafkaPorts
from pipeline.local.processes import base_environment
from pipeline.local.readiness import choose_ports

pytestmark = pytest.mark.part("kafka")


@pytest.fixture
async def start_broker(tmp_path):
    """`start_broker(*ports)`: a broker that is killed after the test."""
    brokers = []

    async def start(*ports):
        brokers.append(
            await KafkaBroker.start(
                tmp_path / "kafka",
                KafkaPorts(*(ports or choose_ports(2))),
                base_environment(tmp_path),
                tmp_path / "kafka.log",
            )
        )
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.daemon.kill()
        await broker.daemon.wait()


async def test_broker_answers_and_stops(start_broker, is_alive, tmp_path):
    """It is ready when it answers, listens on the loopback address, and ends in good order."""
    broker = await start_broker()
    await broker.wait_ready()
    host, port = broker.bootstrap.split(":")
    socket.create_connection((host, int(port)), timeout=5).close()

    await broker.stop()

    assert host == "127.0.0.1"
    assert not is_alive(broker.daemon.pid)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=5)


async def test_broker_that_dies_shows_its_last_words(start_broker):
    """A port that somebody has ends the broker, and the error says what its log says."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (controller,) = choose_ports(1)
        broker = await start_broker(taken.getsockname()[1], controller)

        with pytest.raises(StackError, match=r"^Kafka ended while it started: .*[Aa]ddress already in use"):
            await broker.wait_ready()


async def test_broker_that_is_too_slow_is_given_up(start_broker):
    """A deadline is a deadline."""
    broker = await start_broker()

    with pytest.raises(StackError, match=r"^Kafka is not ready after 0 s"):
        await broker.wait_ready(deadline_s=0)


async def test_old_java_is_named(start_broker, make_program, monkeypatch):
    """A Java that cannot run Kafka 4 is refused before anything is started."""
    java = make_program("java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))

    with pytest.raises(StackError, match=r"Kafka needs Java 17 or newer, found: Java 11\.0\.2; "):
        await start_broker()
