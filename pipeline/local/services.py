"""The services of the voice agent, as the stack runs them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.readiness import LOOPBACK
from pipeline.local.state import PROJECT

MEDIA_SERVER = "media-server"
ORCHESTRATOR = "orchestrator"
STT = "stt-service"
LLM = "llm-service"
TTS = "tts-service"
FRONTEND = "frontend"
RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name (deployment, container, ``app`` label), its command, what it waits for."""

    name: str
    argv: tuple[str, ...]
    needs_kafka: bool = False


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


def build_environment(
    name: str,
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
        "HOST": LOOPBACK,
        "PORT": str(ports[name]),
        "POD_NAME": pod_name,
        "STATE_DIR": str(state / name),
        "KAFKA_BOOTSTRAP": bootstrap,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }
