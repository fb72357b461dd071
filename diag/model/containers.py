"""Containers: how they were ordered, and how their node tells of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """How a container is asked whether it lives.

    Attributes:
        role: ``liveness``, ``readiness`` or ``startup``.
        handler: ``http``, ``tcp``, ``grpc`` or ``exec``.
        port: as it is declared, a number or the name of a port; empty for ``exec``.
        failures: so many in a row count.
    """

    role: str
    handler: str
    port: str = ""
    path: str = ""
    delay_s: int = 0
    period_s: int = 10
    timeout_s: int = 1
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a container declares, or a service offers.

    Attributes:
        target: of a service: the container's port, a number or a name; empty for a container.
    """

    number: int
    name: str = ""
    protocol: str = "TCP"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as it was ordered.

    Attributes:
        variables: the names of its environment variables; what they hold is not kept.
    """

    name: str
    image: str
    ports: tuple[Port, ...] = ()
    probes: tuple[Probe, ...] = ()
    variables: tuple[str, ...] = ()
    pull_policy: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a container ended.

    Attributes:
        reason: the runtime's word: ``Error``, ``OOMKilled``, ``Completed``.
    """

    reason: str
    exit_code: int | None = None
    signal: int | None = None
    started_ns: int | None = None
    finished_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """A container as its node tells of it.

    Attributes:
        image_id: what the node really runs, with its digest; empty where nothing was pulled.
        state: ``running``, ``waiting`` or ``terminated``.
        reason: why it waits or ended.
        since_ns: from when on it is running or ended; None for one that waits.
        last: how it ended the last time, if it was started again.
    """

    name: str
    image: str
    image_id: str
    state: str
    reason: str = ""
    since_ns: int | None = None
    ready: bool = False
    restarts: int = 0
    ending: Ending | None = None
    last: Ending | None = None

    @property
    def digest(self) -> str:
        """``sha256:...`` of the image, empty where the node did not tell."""
        return self.image_id[at:] if (at := self.image_id.find("sha256:")) >= 0 else ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the conditions of an object: ``Ready`` is ``True`` since then."""

    kind: str
    status: str
    since_ns: int | None = None
    reason: str = ""
