"""Apache Kafka as one KRaft node, broker and controller in one, in the stack's own folder.

Small on purpose: a heap of 128 MB, 4 partitions for the offsets topic, no wait before a group's first
rebalance. Topics come into being by `create_topics` only, as in the deployments that diag is for.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.errors import StackError
from pipeline.local.java import OLDEST_MAJOR, Java, find_java
from pipeline.local.kafka_admin import is_answering
from pipeline.local.kafka_cache import KafkaCache, fetch_jars, kafka_cache
from pipeline.local.processes import Daemon, base_environment
from pipeline.local.readiness import LOOPBACK, choose_ports, is_open, wait_until

READY_S = 60.0
GRACE_S = 5.0
_FORMAT_S = 60.0
_ARCHIVE_S = 60.0
_JVM = (
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the first compiler is enough for a broker that lives minutes
    "-XX:-UsePerfData",  # else a killed broker leaves a file in the system's temporary folder
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# the default of 128 MB is taken at the start and would be the whole heap
log.cleaner.dedupe.buffer.size=4194304
"""


@dataclass(frozen=True, slots=True)
class KafkaPorts:
    """The ports of one node, both on the loopback address."""

    client: int
    controller: int


class KafkaBroker:
    """One running broker."""

    def __init__(self, daemon: Daemon, port: int) -> None:
        self.daemon = daemon
        self._port = port

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{LOOPBACK}:{self._port}"

    @classmethod
    async def start(
        cls,
        folder: Path,
        ports: KafkaPorts,
        environment: Mapping[str, str],
        log: Path,
        archive_to: Path | None = None,
    ) -> KafkaBroker:
        """A new broker with a new cluster ID, its data in `folder`; `wait_ready` tells when it answers.

        The jars are fetched if they are not in the cache. With `archive_to`, it writes the archive of
        its classes there when it stops.

        Raises:
            StackError: no Java, no jars, or the storage could not be formatted.
        """
        java, cache = await asyncio.to_thread(_find_parts)
        properties = _write_properties(folder, ports)
        jvm = (
            str(java.program),
            *_JVM,
            f"-Djava.io.tmpdir={folder}",
            *_archive_option(cache, java, archive_to),
        )
        await _format(jvm, cache, properties, environment)
        daemon = await Daemon.start(
            "kafka",
            (*jvm, "-cp", cache.class_path(), "kafka.Kafka", str(properties)),
            environment,
            log,
        )
        return cls(daemon, ports.client)

    async def wait_ready(self, deadline_s: float = READY_S) -> None:
        """Return when the broker answers a metadata request; raises `StackError` if it does not."""
        answer = asyncio.create_task(wait_until(self._answers, deadline_s))
        end = asyncio.create_task(self.daemon.wait())
        try:
            await asyncio.wait((answer, end), return_when=asyncio.FIRST_COMPLETED)
        finally:
            answer.cancel()
            end.cancel()
        if not self.daemon.running:
            raise StackError(f"Kafka ended while it started: {_find_cause(self.daemon)}")
        if not answer.result():
            raise StackError(f"Kafka is not ready after {deadline_s:g} s: {_find_cause(self.daemon)}")

    async def stop(self) -> None:
        """An orderly end, within `GRACE_S` seconds."""
        await self.daemon.stop(GRACE_S)

    async def _answers(self) -> bool:
        return await is_open(self._port) and await is_answering(self.bootstrap)


def _find_cause(daemon: Daemon) -> str:
    """The last lines of its log, without the frames of stack traces."""
    lines = [line for line in daemon.tail() if not line.startswith(("at ", "... "))]
    causes = [line for line in lines if "Exception" in line or "ERROR" in line]
    return " | ".join((causes or lines)[-3:]) or "no output"


def _find_parts() -> tuple[Java, KafkaCache]:
    java = find_java()
    if java is None or java.major < OLDEST_MAJOR:
        found = f"Java {java.version}" if java else "none"
        remedy = "python -m pipeline parts --install"
        raise StackError(f"Kafka needs Java {OLDEST_MAJOR} or newer, found: {found}; get it: {remedy}")
    cache = kafka_cache()
    fetch_jars(cache)
    return java, cache


def _write_properties(folder: Path, ports: KafkaPorts) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.properties"
    path.write_text(
        _PROPERTIES.format(
            host=LOOPBACK, port=ports.client, controller_port=ports.controller, data=folder / "data"
        ),
        "utf-8",
    )
    return path


def _archive_option(cache: KafkaCache, java: Java, archive_to: Path | None) -> tuple[str, ...]:
    """Write the class archive, or use it if it is there: it halves the time to the first answer."""
    if archive_to:
        return (f"-XX:ArchiveClassesAtExit={archive_to}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
    archive = cache.archive(java)
    return (f"-XX:SharedArchiveFile={archive}", "-Xshare:auto", "-Xlog:cds=off") if archive.exists() else ()


async def _format(
    jvm: tuple[str, ...], cache: KafkaCache, properties: Path, environment: Mapping[str, str]
) -> None:
    """Format the storage with a new cluster ID, as every node needs it once."""
    cluster_id = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config", str(properties))
    # the archive is of the broker's run, not of this one
    jvm = tuple(option for option in jvm if not option.startswith("-XX:ArchiveClassesAtExit"))
    formatting = await Daemon.start(
        "kafka-format",
        (*jvm, "-cp", cache.class_path(), *tool),
        environment,
        properties.parent / "format.log",
    )
    try:
        code = await asyncio.wait_for(formatting.wait(), _FORMAT_S)
    finally:
        formatting.kill()
    if code != 0:
        raise StackError(f"Kafka's storage could not be formatted: {_find_cause(formatting)}")


def write_class_archive(path: Path) -> None:
    """Run a broker once, for the archive of its classes that it writes to `path` when it stops."""
    asyncio.run(_run_once(path))


async def _run_once(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="kafka-classes-") as name:
        folder = Path(name)
        ports = KafkaPorts(*choose_ports(2))
        broker = await KafkaBroker.start(folder, ports, base_environment(folder), folder / "kafka.log", path)
        try:
            await broker.wait_ready()
        finally:
            await broker.daemon.stop(_ARCHIVE_S)
