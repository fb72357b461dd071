"""The cluster's objects as one reading gave them: workloads, pods, services, autoscalers, events.

Nothing here is a secret by itself: of environment variables only the names are kept, texts that people or
programs wrote (messages of events) are redacted where they enter. ``model.cluster_view`` says what of it
held in a window.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from diag.model.containers import Condition, Container, ContainerStatus, Port

SLUG = "kubernetes"
"""The source's name in coverage and evidence."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod.

    Attributes:
        owner: what made it: the replica set's or stateful set's name.
        revision: the replica set, or the revision of a stateful set; empty for a pod of its own.
        phase: ``Pending``, ``Running``, ``Succeeded``, ``Failed``, ``Unknown``.
        started_ns: when its node took it.
        deleted_ns: when it was told to go; None while nobody did.
        initial: of its init containers, in their order; sidecars are among them.
    """

    namespace: str
    name: str
    phase: str
    owner: str = ""
    revision: str = ""
    reason: str = ""
    node: str = ""
    created_ns: int | None = None
    started_ns: int | None = None
    deleted_ns: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    containers: tuple[Container, ...] = ()
    statuses: tuple[ContainerStatus, ...] = ()
    initial: tuple[ContainerStatus, ...] = ()
    account: str = ""

    @property
    def ready(self) -> bool:
        """Whether it takes requests now."""
        return any(one.kind == "Ready" and one.status == "True" for one in self.conditions)

    @property
    def restarts(self) -> int:
        """Of all its containers; an init container that is through counts no more, as with kubectl."""
        held = (one for one in self.initial if one.ending is None or one.ending.exit_code != 0)
        return sum(one.restarts for one in (*self.statuses, *held))

    @property
    def initialized(self) -> bool:
        """Whether its init containers are through, or sidecars that run."""
        return not self.initial or any(
            one.kind == "Initialized" and one.status == "True" for one in self.conditions
        )

    @property
    def ref(self) -> str:
        """How evidence names it; a field may follow behind a colon."""
        return f"pod/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of a workload's template: a replica set, or a controller revision of a stateful set.

    Attributes:
        number: as ``kubectl rollout history`` counts; a return to an old one gives it a new number.
        images: of its containers, in their order.
        replicas: pods that it has now.
        returned: it has been in force before under another number.
    """

    name: str
    number: int
    created_ns: int | None
    images: tuple[str, ...]
    replicas: int = 0
    ready: int = 0
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """A deployment or a stateful set.

    Attributes:
        kind: ``deployment`` or ``statefulset``.
        revisions: oldest first, by number.
        conditions: ``Progressing``, ``Available``.
    """

    kind: str
    namespace: str
    name: str
    wanted: int
    ready: int = 0
    updated: int = 0
    created_ns: int | None = None
    selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] = ()
    revisions: tuple[Revision, ...] = ()
    conditions: tuple[Condition, ...] = ()
    account: str = ""

    @property
    def current(self) -> Revision | None:
        """The revision that is in force now."""
        return self.revisions[-1] if self.revisions else None

    @property
    def ref(self) -> str:
        """How evidence names it."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """How many addresses stand behind a service: each pod once for each family of addresses.

    Attributes:
        serving: would answer, whether they are on their way out or not.
        terminating: on their way out.
    """

    ready: int = 0
    not_ready: int = 0
    serving: int = 0
    terminating: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A name that pods are reached by.

    Attributes:
        kind: ``ClusterIP``, ``NodePort``, ``LoadBalancer``, ``ExternalName``.
        selector: empty for one whose endpoints somebody else writes.
        affinity: ``None`` or ``ClientIP``.
        ingress: addresses that the outside reaches it by.
        endpoints: None where the slices could not be read.
    """

    namespace: str
    name: str
    kind: str
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    affinity: str = "None"
    created_ns: int | None = None
    ingress: int = 0
    endpoints: Endpoints | None = None

    @property
    def ref(self) -> str:
        """How evidence names it."""
        return f"service/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """What may change the number of a workload's pods.

    Attributes:
        target: ``deployment/orchestrator``.
        limited: why it can not have the number that it wants, or tell one; empty if it can.
    """

    namespace: str
    name: str
    target: str
    least: int
    most: int
    current: int = 0
    desired: int = 0
    limited: str = ""
    created_ns: int | None = None

    @property
    def ref(self) -> str:
        """How evidence names it."""
        return f"autoscaler/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something that happened to an object, as the cluster itself tells it.

    Attributes:
        warning: its type is ``Warning``, not ``Normal``.
        kind: of the object, lower case: ``pod``, ``deployment``.
        count: so often between `first_ns` and `last_ns`.
        source: the slug of where it was read: events live an hour in the cluster, then in the log service.
        ref: where to look it up.
        audited: it is no event of the cluster but a line of its audit log.
    """

    warning: bool
    reason: str
    kind: str
    namespace: str
    name: str
    text: str
    count: int = 1
    first_ns: int | None = None
    last_ns: int | None = None
    source: str = SLUG
    ref: str = ""
    audited: bool = False


THE_REST = "the rest"
"""What is unread where nothing tells which lists did not come: it may be any of them."""

PLATFORM = ("kube-", "gke-", "gmp-", "istio-")
"""How namespaces begin that are the platform's own: they are left out unless they are named."""


def covers(asked: Collection[str], namespace: str) -> bool:
    """Whether who asked for these namespaces, for all if there are none, gets objects of this one."""
    return namespace in asked if asked else not namespace.startswith(PLATFORM)


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, and what would let it.

    Attributes:
        what: in the plural: ``pods``, ``endpoint slices``; or `THE_REST`.
        reason: in words, one line.
    """

    what: str
    reason: str
    remedy: str = ""

    def may_hold(self, what: str) -> bool:
        """Whether of this kind something may be missing."""
        return self.what in (what, THE_REST)


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """A cluster at one moment, as far as it could be read.

    Attributes:
        place: the context, or where the cluster is, for a person.
        read_ns: when it was asked.
        namespaces: that were asked for; empty: all.
        requests: calls to its API.
    """

    place: str
    read_ns: int
    namespaces: tuple[str, ...] = ()
    version: str = ""
    workloads: tuple[Workload, ...] = ()
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    unread: tuple[Unread, ...] = ()
    requests: int = 0

    def covers(self, namespace: str) -> bool:
        """Whether objects of a namespace were to be read."""
        return covers(self.namespaces, namespace)

    @property
    def objects(self) -> int:
        """How many were read."""
        kinds = (self.workloads, self.pods, self.services, self.autoscalers, self.events)
        return sum(map(len, kinds)) + sum(len(one.revisions) for one in self.workloads)
