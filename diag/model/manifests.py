"""What a folder of Kubernetes manifests asks for, each object with its place, and how a cluster differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diag.model.containers import Container, Port
from diag.model.findings import Evidence

SLUG = "manifests"
"""The source's name in coverage and evidence."""

WORKLOADS = ("deployment", "statefulset")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a file.

    Attributes:
        kind: lower case: ``deployment``.
        namespace: empty where neither the file nor its kustomization says one.
        path: from the folder on.
        line: where the object begins, from 1.
        replicas: as the file says; None: it does not.
        least: of an autoscaler: how many pods at least; None: the file does not say, which means 1.
        most: of an autoscaler: how many pods at most.
        target: of an autoscaler: ``deployment/orchestrator``.
        affinity: of a service: its ``sessionAffinity``; empty: it says none.
        service_kind: of a service: its ``type``; empty: it says none.
        lines: field -> its line: ``replicas``, ``image of orchestrator``, ``sessionAffinity``.
        patched_by: a kustomization that changes it in a way that is not followed; empty: none does.
    """

    kind: str
    namespace: str
    name: str
    path: str
    line: int
    replicas: int | None = None
    least: int | None = None
    most: int | None = None
    target: str = ""
    affinity: str = ""
    service_kind: str = ""
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    containers: tuple[Container, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    patched_by: str = ""

    @property
    def ref(self) -> str:
        """``file:line``."""
        return f"{self.path}:{self.line}"

    def ref_of(self, name: str) -> str:
        """Where one of its fields stands."""
        return f"{self.path}:{self.lines.get(name, self.line)}"


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file, or a part of one, that is told and passed over."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifests:
    """All that was read of a folder.

    Attributes:
        files: YAML files that were read.
        not_read: what was passed over, and why.
        doubled: keys that stand twice in a table, of which the last counts.
        cut: why not all of the folder was looked at; empty: all was.
    """

    objects: tuple[Manifest, ...] = ()
    files: int = 0
    not_read: tuple[NotRead, ...] = ()
    doubled: tuple[NotRead, ...] = ()
    cut: str = ""

    @property
    def workloads(self) -> tuple[Manifest, ...]:
        """The objects that pods are made of."""
        return tuple(one for one in self.objects if one.kind in WORKLOADS)


@dataclass(frozen=True, slots=True)
class Difference:
    """The cluster has another value than the file.

    Attributes:
        what: ``image of orchestrator``, ``replicas``, ``not in the cluster``, ``in no file``.
        wanted: what the file says; empty where there is none.
        live: what the cluster has; empty likewise.
        file_ref: ``file:line``; empty for what is in no file.
        live_ref: the object's field in the cluster.
        note: what speaks for or against it being meant so.
    """

    kind: str
    namespace: str
    name: str
    what: str
    wanted: str = ""
    live: str = ""
    file_ref: str = ""
    live_ref: str = ""
    note: str = ""

    def to_evidence(self) -> tuple[Evidence, ...]:
        """Both sides, as far as there are two."""
        sides = ((self.file_ref, SLUG, self.wanted), (self.live_ref, "kubernetes", self.live))
        return tuple(Evidence(0, ref, source, f"{self.what}: {text}" if text else self.what)
                     for ref, source, text in sides if ref)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """Files against the cluster.

    Attributes:
        compared: objects that stand on both sides and were compared.
        not_compared: object -> why.
    """

    differences: tuple[Difference, ...] = ()
    compared: int = 0
    not_compared: tuple[tuple[str, str], ...] = ()
