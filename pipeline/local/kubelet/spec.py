"""What the kubelet reads of a pod's manifest. The API server has filled in every default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALWAYS, ON_FAILURE, NEVER = "Always", "OnFailure", "Never"

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HttpGet:
    """``httpGet`` of a probe or a hook."""

    port: int
    path: str = "/"
    scheme: str = "http"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """``tcpSocket`` of a probe."""

    port: int


@dataclass(frozen=True, slots=True)
class Exec:
    """``exec`` of a probe or a hook."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sleep:
    """``sleep`` of a hook."""

    seconds: float


Handler = HttpGet | TcpSocket | Exec | Sleep


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe. `grace_s` is the probe's own termination grace period, if it has one."""

    handler: Handler
    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    success_threshold: int = 1
    failure_threshold: int = 3
    grace_s: float | None = None


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container, or init container.

    Attributes:
        probes: by kind: ``startup``, ``liveness``, ``readiness``.
        memory_bytes: the limit, None without one.
        manifest: the container as it was written, for what is read once (``env``, ``envFrom``).
    """

    name: str
    image: str
    pull_policy: str = "IfNotPresent"
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    pre_stop: Handler | None = None
    memory_bytes: int | None = None
    manifest: Manifest = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodSpec:
    """One pod. `grace_s` is ``terminationGracePeriodSeconds``."""

    namespace: str
    name: str
    uid: str
    restart_policy: str = ALWAYS
    grace_s: float = 30.0
    containers: tuple[ContainerSpec, ...] = ()
    init_containers: tuple[ContainerSpec, ...] = ()
    manifest: Manifest = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """As the kubelet's messages write it: ``<name>_<namespace>(<uid>)``."""
        return f"{self.name}_{self.namespace}({self.uid})"

    def should_restart(self, exit_code: int) -> bool:
        """Whether a container that has ended so is started again."""
        return self.restart_policy == ALWAYS or (self.restart_policy == ON_FAILURE and exit_code != 0)


def read_pod(manifest: Manifest) -> PodSpec:
    """The pod of `manifest`, as the API server gives it."""
    metadata, spec = manifest["metadata"], manifest["spec"]
    return PodSpec(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        restart_policy=spec.get("restartPolicy", ALWAYS),
        grace_s=float(spec.get("terminationGracePeriodSeconds", 30)),
        containers=tuple(map(_read_container, spec["containers"])),
        init_containers=tuple(map(_read_container, spec.get("initContainers", ()))),
        manifest=manifest,
    )


def _read_container(manifest: Manifest) -> ContainerSpec:
    ports = {port["name"]: port["containerPort"] for port in manifest.get("ports", ()) if "name" in port}
    kinds = ("startup", "liveness", "readiness")
    limits = manifest.get("resources", {}).get("limits", {})
    pre_stop = manifest.get("lifecycle", {}).get("preStop")
    return ContainerSpec(
        name=manifest["name"],
        image=manifest["image"],
        pull_policy=manifest.get("imagePullPolicy", "IfNotPresent"),
        command=tuple(manifest.get("command", ())),
        args=tuple(manifest.get("args", ())),
        probes={
            kind: _read_probe(manifest[f"{kind}Probe"], ports) for kind in kinds if f"{kind}Probe" in manifest
        },
        pre_stop=_read_handler(pre_stop, ports) if pre_stop else None,
        memory_bytes=read_bytes(limits["memory"]) if "memory" in limits else None,
        manifest=manifest,
    )


def _read_probe(probe: Manifest, ports: Mapping[str, int]) -> Probe:
    grace = probe.get("terminationGracePeriodSeconds")
    return Probe(
        handler=_read_handler(probe, ports),
        initial_delay_s=probe.get("initialDelaySeconds", 0),
        period_s=probe.get("periodSeconds", 10),
        timeout_s=probe.get("timeoutSeconds", 1),
        success_threshold=probe.get("successThreshold", 1),
        failure_threshold=probe.get("failureThreshold", 3),
        grace_s=None if grace is None else float(grace),
    )


def _read_handler(handler: Manifest, ports: Mapping[str, int]) -> Handler:
    """Raises `ValueError` for one that this kubelet does not know (``grpc``)."""
    match handler:
        case {"httpGet": get}:
            headers = tuple((header["name"], header["value"]) for header in get.get("httpHeaders", ()))
            scheme = get.get("scheme", "HTTP").lower()
            return HttpGet(_read_port(get["port"], ports), get.get("path", "/"), scheme, headers)
        case {"tcpSocket": socket}:
            return TcpSocket(_read_port(socket["port"], ports))
        case {"exec": program}:
            return Exec(tuple(program.get("command", ())))
        case {"sleep": sleep}:
            return Sleep(float(sleep["seconds"]))
    kinds = ", ".join(kind for kind, asked in handler.items() if isinstance(asked, dict))
    raise ValueError(f"it knows no handler of the kind {kinds}")


def _read_port(port: int | str, ports: Mapping[str, int]) -> int:
    """A number, or the name of one of the container's ports."""
    return ports[port] if isinstance(port, str) and port in ports else int(port)


_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_FACTORS = _BINARY | {"m": 1e-3, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}


def read_bytes(quantity: str) -> int:
    """A quantity of memory in bytes (Kubernetes, "Quantity"); raises `ValueError`."""
    for suffix, factor in _FACTORS.items():
        if quantity.endswith(suffix):
            return int(float(quantity.removesuffix(suffix)) * factor)
    return int(float(quantity))
