"""Every fault of Kafka beside a log service that is all right: never a crash, and the lines are kept.

One broker for all, whose clients come through a wire that can be cut. Logins, certificates and tokens that a broker
refuses have their own one in ``test_kafka_secured.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.config import load_wanted_topics
from diag.errors import ExitCode
from diag.model.coverage import State
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.model.secret import Secret
from diag.model.settings import KafkaSettings, Settings
from diag.model.topics import Path as TopicPath
from diag.model.topics import WantedTopic
from diag.sources.kafka import create_topics, read_broker
from diag.sources.kafka.connection import open_admin
from pipeline.local.kafka import KafkaPorts
from pipeline.local.readiness import choose_ports
from tests.cases import DEFAULTS, START_NS
from tests.contract.fault_table import Answer, check_row, code_of, find_row, healthy, keeps
from tests.contract.kafka_batches import send_batch
from tests.contract.kafka_broker import AUTHORISED, behind, run_broker
from tests.contract.kafka_wire import DESCRIBE, EVERYTHING, allow
from tests.contract.logging_server import run_server
from tests.contract.relay import Relay, open_relay

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module")]

CASE = healthy()
ALL = len(CASE.entries)
S, OTHER = CASE.asked, DEFAULTS["B"]
NOW_NS = START_NS + 3600 * NS_PER_S
TOPIC = "llm-requests"
RECORDS, RECORD_BYTES = 200, 4_000
MANY = 100_000
"""Connections: all of them."""
IN_MIDDLE = 60_000
"""Bytes of a connection behind which the topics are known and the records are on their way."""
PATIENCE_S = 1.0
"""Of diag, with a broker that says nothing at all. One that says some of it first has all the time for that."""
_LARGER = "message.max.bytes=8388608\n"


@dataclass(frozen=True)
class Fault:
    """What is done to the wire or the settings, and what becomes of it.

    Attributes:
        harm: connections that are cut, or go silent, after so many bytes.
    """

    name: str
    state: State = State.COMPLETE
    words: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    harm: tuple[int, int] = (0, 0)
    silent: bool = False


IMPATIENT = {"timeout_s": PATIENCE_S}
FAULTS = [
    Fault("none"),
    Fault("no such host", State.FAILED, ("has a name that is not known here", "check the host"), {"bootstrap": "no-such-host.invalid:9092"}),
    Fault("refused", State.FAILED, ("refuses the connection", "check host and port"), {"bootstrap": "127.0.0.1:1"}),
    Fault("no TLS", State.FAILED, ("speaks no TLS on this port", "kafka.security_protocol"), {"security_protocol": "SSL"}),
    Fault("no login", State.FAILED, ("takes no login", "name its SASL port"),
          {"security_protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "u", "password": Secret("secret")}),
    Fault("silent", State.FAILED, ("does not answer in time", "firewall"), IMPATIENT, (MANY, 0), silent=True),
    Fault("silent in mid-answer", State.PARTIAL, ("stopped sending records", "of 201"), harm=(MANY, IN_MIDDLE), silent=True),
    Fault("cut once", harm=(1, 0)),
    Fault("cut in mid-answer once", harm=(1, IN_MIDDLE)),
    Fault("cut for ever", State.FAILED, ("Kafka at 127.0.0.1",), IMPATIENT, (MANY, 0)),
    Fault("cut in mid-answer for ever", State.PARTIAL, ("not every record of the window was looked at",), harm=(MANY, IN_MIDDLE)),
    Fault("too many records", State.PARTIAL, ("raise kafka.max_records",), {"max_records": 50}),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Relay]:
    """Leads to a broker with the wanted topics, many records of another session, and one of ours."""
    ports = KafkaPorts(*choose_ports(2))
    folder = tmp_path_factory.mktemp("broker")
    with open_relay(f"127.0.0.1:{ports.client}") as relay:
        change = behind(relay.address)
        async with run_broker(folder, lambda text: change(text) + _LARGER + AUTHORISED, ports):
            await create_topics(KafkaSettings(relay.address), map(_to_keep, load_wanted_topics()))
            await fill(relay.address)
            yield relay


def _to_keep(topic: WantedTopic) -> WantedTopic:
    """The records are of another year: a broker that looks for old ones would delete them in the midst of a test."""
    return replace(topic, settings={**topic.settings, "retention.ms": "-1"})


async def fill(bootstrap: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=8 << 20)
    await producer.start()
    at_ms = START_NS // NS_PER_MS + 1000
    for n in range(RECORDS):
        await producer.send(TOPIC, bytes(RECORD_BYTES), OTHER.encode(), timestamp_ms=at_ms + n)
    await producer.send_and_wait(TOPIC, b'{"text": "%s"}' % (b"x" * 2**20), S.encode(), timestamp_ms=at_ms)
    await producer.stop()


@pytest.fixture(scope="module")
def logs() -> Iterator[Settings]:
    """A log service that has the whole session."""
    with run_server() as server:
        server.write([dict(entry) for entry in CASE.entries])
        yield server.settings()


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.name)
def fault(request: pytest.FixtureRequest, wire: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fault]:
    """One of them, in force. For records that will never come diag waits no longer than it takes to tell."""
    fault: Fault = request.param
    if fault.harm == (MANY, IN_MIDDLE):
        monkeypatch.setattr("diag.sources.kafka.records._IDLE_ANSWERS", 0.01)
    wire.harm(*fault.harm, silent=fault.silent)
    yield fault
    wire.mend()


def ask(logs: Settings, wire: Relay, **settings: Any) -> SessionRequest:
    kafka = KafkaSettings(**{"bootstrap": wire.address, "timeout_s": 60.0, **settings})
    return SessionRequest(asked=S, settings=replace(logs, kafka=kafka), now_ns=NOW_NS)


async def test_beside_the_log_service(fault: Fault, logs: Settings, wire: Relay) -> None:
    """All lines are kept, the session is judged, and the code tells that something is missing."""
    answer = await diagnose_session(ask(logs, wire, **fault.settings))

    assert keeps(answer, "cloud-logging", ALL)
    assert bool(fault.harm[0]) is wire.hit.is_set()
    check_row(answer, "kafka", fault.state, fault.words)
    if fault.state is State.COMPLETE:
        assert f"{RECORDS + 1} looked at" in find_row(answer, "kafka").got


async def test_ctrl_c_while_the_broker_is_silent(logs: Settings, wire: Relay) -> None:
    """What the log service gave is judged; of the broker is said that it was interrupted."""
    wire.harm(MANY, 0, silent=True)
    asking = asyncio.create_task(diagnose_session(ask(logs, wire)))
    assert await asyncio.to_thread(wire.hit.wait, 60)

    asking.cancel()
    answer: Answer = await asking
    wire.mend()

    assert keeps(answer, "cloud-logging", ALL)
    assert find_row(answer, "kafka").state is State.PARTIAL
    assert "interrupted (Ctrl-C)" in find_row(answer, "kafka").notes
    assert code_of(answer) == ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x01", b"\xff" * 99]
)
async def test_what_is_no_broker(said: bytes, logs: Settings, wire: Relay) -> None:
    """Whatever listens there, and says, or not, what no broker says."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    answer = await diagnose_session(ask(logs, wire, bootstrap=place, timeout_s=PATIENCE_S))
    server.close()

    assert keeps(answer, "cloud-logging", ALL)
    check_row(answer, "kafka", State.FAILED, [f"Kafka at {place}"])


async def test_a_record_that_the_library_can_not_read(logs: Settings, wire: Relay) -> None:
    """Nothing is missing: it is read by hand with what stands behind it, and coverage names it."""
    topic = WantedTopic("foreign", TopicPath.AUDIO, 1)
    await create_topics(KafkaSettings(wire.address), (topic,))
    odd, after = (S.encode(), b"", [("NAME", b"x")]), (S.encode(), b"", [])
    await send_batch(wire.address, topic.name, odd, after, at_ms=START_NS // NS_PER_MS + 1000)
    answer = await diagnose_session(ask(logs, wire))
    async with open_admin(KafkaSettings(wire.address)) as admin:  # the other tests count what is there
        await admin.delete_topics([topic.name])
    while topic.name in (await read_broker(KafkaSettings(wire.address), 0)).topics:
        pass

    assert keeps(answer, "cloud-logging", ALL)
    row = find_row(answer, "kafka")
    assert row.state is State.COMPLETE
    assert f"3 records of {RECORDS + 3} looked at" in row.got
    assert "1 record has a header whose name is not UTF-8 (foreign/0@0)" in " ".join(row.notes)


async def test_a_topic_that_may_not_be_read(logs: Settings, wire: Relay) -> None:
    """The right that is missing has its name, and the rest of the broker is kept."""
    await allow(wire.address, TOPIC, DESCRIBE)
    answer = await diagnose_session(ask(logs, wire))
    await allow(wire.address, TOPIC, EVERYTHING)  # the other tests read all there is

    assert keeps(answer, "cloud-logging", ALL)
    check_row(answer, "kafka", State.PARTIAL, [f"does not let diag read {TOPIC}", "grant READ"])
