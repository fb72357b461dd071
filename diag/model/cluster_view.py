"""What of a cluster held in a window: revisions in force, pods that lived, restarts, events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diag.model.cluster import Autoscaler, ClusterEvent, Pod, Revision, Service, Unread, Workload
from diag.model.coverage import SourceCoverage
from diag.model.window import Window


class Export(StrEnum):
    """Whether the cluster sends its containers' logs to Cloud Logging."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LogExport:
    """The cluster's ``loggingConfig``, or what its silence suggests.

    Attributes:
        components: that are exported: ``SYSTEM_COMPONENTS``, ``WORKLOADS``.
        inferred: nobody told; live pods without an entry suggest it.
        note: the reason, one line.
    """

    state: Export
    components: tuple[str, ...] = ()
    inferred: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class InForce:
    """A revision while it was the one that new pods were made of.

    Attributes:
        name: of its replica set.
        revision: None where the cluster does not have it any more.
        since_ns: when it came into force; None: before all that is known.
        until_ns: when the next one did; None: still in force.
        certain: False where a return to it, or to another, may have left no trace.
        evidence: where that is known from: references, first the one of `since_ns`.
        told: images that the audit log names, where the cluster does not have the revision any more.
    """

    name: str
    revision: Revision | None
    since_ns: int | None
    until_ns: int | None = None
    certain: bool = True
    evidence: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """Of its containers; none where it is not known any more."""
        return self.revision.images if self.revision else self.told

    @property
    def is_told_alone(self) -> bool:
        """Its images stand in the audit log alone: they were ordered, and may never have run."""
        return self.revision is None and bool(self.told)


@dataclass(frozen=True, slots=True)
class Restart:
    """A container that ended and was started again.

    Attributes:
        ref: the field or event that tells it.
    """

    container: str
    at_ns: int
    reason: str
    exit_code: int | None
    ref: str


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod that lived in the window, as far as one knows.

    Attributes:
        pod: None for one that is gone: the log or an event alone tells of it.
        state: what it was in the window, or, with a note, what it is now.
        images: as its node runs them, with digest where that is known.
        restarted: in the window.
        notes: what else a reader should know.
    """

    namespace: str
    name: str
    pod: Pod | None
    revision: str
    state: str
    images: tuple[str, ...] = ()
    since_ns: int | None = None
    restarts: int | None = None
    restarted: tuple[Restart, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Ready, and never restarted in the window."""
        return self.state == "ready" and not self.restarted

    @property
    def ref(self) -> str:
        """How evidence names it."""
        return f"pod/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class WorkloadView:
    """A workload, its revisions of the window and its pods.

    Attributes:
        in_force: oldest first; at least one.
    """

    workload: Workload
    in_force: tuple[InForce, ...]
    pods: tuple[PodView, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster in a window.

    Attributes:
        place: the cluster, for a person.
        window: None: as it is now.
        others: pods that no workload has.
        services: as they are now, whatever the window.
        autoscalers: likewise.
        events: of the window, oldest first.
        left_out: workloads that are none of the session's services.
        services_left_out: services likewise.
    """

    place: str
    read_ns: int
    window: Window | None
    namespaces: tuple[str, ...] = ()
    version: str = ""
    workloads: tuple[WorkloadView, ...] = ()
    others: tuple[PodView, ...] = ()
    services: tuple[Service, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    unread: tuple[Unread, ...] = ()
    export: LogExport | None = None
    left_out: int = 0
    services_left_out: int = 0

    @property
    def pods(self) -> tuple[PodView, ...]:
        """All pods of the window."""
        return (*(pod for one in self.workloads for pod in one.pods), *self.others)


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """What ``diag cluster`` found, and what it could not see."""

    view: ClusterView
    sources: tuple[SourceCoverage, ...]
    version: str = ""
