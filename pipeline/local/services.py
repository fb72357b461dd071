"""The services of the voice agent, as the stack runs them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.local.errors import StackError
from pipeline.local.readiness import LOOPBACK
from pipeline.local.state import PROJECT
from pipeline.wire.records import MEDIA_SERVER_GROUP

MEDIA_SERVER = "media-server"
ORCHESTRATOR = "orchestrator"
STT = "stt-service"
LLM = "llm-service"
TTS = "tts-service"
FRONTEND = "frontend"
RESULTS = "results"
MOST_REPLICAS = 8
REPLICABLE = frozenset({MEDIA_SERVER, ORCHESTRATOR})


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name (deployment, container, ``app`` label), its command, what it waits for.

    `replica` counts from 1; of a service with several, `replicas` in number, each is a pod of its own.
    """

    name: str
    argv: tuple[str, ...]
    needs_kafka: bool = False
    replica: int = 1
    replicas: int = 1

    @property
    def key(self) -> str:
        """What the stack calls it: the name, from the second replica on with its number."""
        return self.name if self.replica == 1 else f"{self.name}-{self.replica}"


def _service(name: str, module: str, *arguments: str, needs_kafka: bool = False) -> Service:
    return Service(name, (sys.executable, "-m", f"pipeline.{module}", *arguments), needs_kafka)


SERVICES = (
    _service(MEDIA_SERVER, "media_server", needs_kafka=True),
    _service(ORCHESTRATOR, "orchestrator", needs_kafka=True),
    _service(STT, "stt"),
    _service(LLM, "llm"),
    _service(TTS, "tts"),
    _service(FRONTEND, "frontend", "serve"),
    _service(RESULTS, "results", needs_kafka=True),
)
_ADDRESSES = {
    "STT_URL": ("http", STT, ""),
    "LLM_URL": ("http", LLM, ""),
    "TTS_URL": ("http", TTS, ""),
    "WHIP_URL": ("http", MEDIA_SERVER, "/whip"),
    "WS_URL": ("ws", ORCHESTRATOR, "/ws"),
}


def read_replicas(text: str) -> dict[str, int]:
    """The counts in ``orchestrator=2,media-server=2``; raises `StackError`."""
    counts: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        name, _, count = part.strip().partition("=")
        if not (count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_REPLICAS):
            raise StackError(f"{part.strip()!r} is not SERVICE=COUNT with a count up to {MOST_REPLICAS}")
        counts[name] = int(count)
    return counts


def replicate(services: Iterable[Service], counts: Mapping[str, int]) -> tuple[Service, ...]:
    """`services` with as many replicas of each as `counts` says, else one. Raises `StackError`."""
    services = tuple(services)
    unknown = sorted(counts.keys() - REPLICABLE)
    if unknown:
        raise StackError(f"{unknown[0]} has one replica: several are for {' and '.join(sorted(REPLICABLE))}")
    return tuple(
        replace(service, replica=number, replicas=counts.get(service.name, 1))
        for service in services
        for number in range(1, counts.get(service.name, 1) + 1)
    )


def build_environment(
    service: Service,
    pod_name: str,
    ports: Mapping[str, int],
    bootstrap: str,
    base: Mapping[str, str],
    *,
    state: Path,
) -> dict[str, str]:
    """The environment of one service: the same addresses for all, its own port, pod name and folder.

    `state` holds the folders of all services, which they make when they need one.
    """
    urls = {
        variable: f"{scheme}://{LOOPBACK}:{ports[service]}{path}"
        for variable, (scheme, service, path) in _ADDRESSES.items()
        if service in ports
    }
    return {
        **base,
        **urls,
        **_own_group(service, pod_name),
        "HOST": LOOPBACK,
        "PORT": str(ports[service.key]),
        "POD_NAME": pod_name,
        "STATE_DIR": str(state / service.key),
        "KAFKA_BOOTSTRAP": bootstrap,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }


def _own_group(service: Service, pod_name: str) -> dict[str, str]:
    """Each of several media servers reads all replies: as a group of its own."""
    if service.name == MEDIA_SERVER and service.replicas > 1:
        return {"REPLY_GROUP": f"{MEDIA_SERVER_GROUP}.{pod_name}"}
    return {}
