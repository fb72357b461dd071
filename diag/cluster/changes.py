"""What the audit log adds to revisions: replica sets that are gone, and workloads deleted since.

The cluster's API counts. A line that does not fit to what it keeps is told as what it is: somebody's order,
which may not have been carried out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from diag.model.cluster import ClusterEvent, ClusterFacts, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.instants import NS_PER_S, format_instant
from diag.model.window import Window

_BEFORE_NS, _AFTER_NS = 5 * NS_PER_S, 60 * NS_PER_S
"""How long around a change its replica set is made: at once, by a controller that may be busy."""

_REASONS = {"create": "Created", "update": "Updated", "patch": "Patched", "delete": "Deleted"}
UNMATCHED = (
    "the audit log has a change that the cluster keeps no revision of: what it made is gone, or it was never "
    "rolled out"
)


@dataclass(frozen=True, slots=True, order=True)
class Start:
    """A revision came into force.

    Attributes:
        told: its images, where the audit log alone knows them.
        sure: False where only an order is known, and not what became of it.
    """

    at_ns: int
    by_event: bool
    name: str
    ref: str
    told: tuple[str, ...] = ()
    sure: bool = True


def to_change_events(changes: Iterable[ClusterChange]) -> Iterator[ClusterEvent]:
    """Changes of workloads as a reader sees them among the events; replica sets follow from these."""
    for one in changes:
        if one.kind != "replicaset":
            images = f", template of {', '.join(one.images)}" if one.images and one.template else ""
            yield ClusterEvent(
                warning=False,
                reason=_REASONS[one.verb],
                kind=one.kind,
                namespace=one.namespace,
                name=one.name,
                text=f"by {one.by or 'nobody who is named'}{images} (audit log)",
                first_ns=one.at_ns,
                last_ns=one.at_ns,
                source=one.source,
                ref=one.ref,
                audited=True,
            )


def find_made(workload: Workload, changes: Iterable[ClusterChange]) -> tuple[ClusterChange, ...]:
    """The making of each replica set that the audit log tells of the workload, kept by the cluster or not."""
    own = workload.namespace, workload.name
    sets = (one for one in changes if (one.kind, one.verb) == ("replicaset", "create"))
    return tuple(one for one in sets if (one.namespace, one.owner) == own)


def to_starts(workload: Workload, made: Iterable[ClusterChange]) -> Iterator[Start]:
    """Of what the cluster does not keep any more; of the rest it counts what itself says."""
    kept = {revision.name for revision in workload.revisions}
    return (Start(one.at_ns, True, one.name, one.ref) for one in made if one.name not in kept)


def find_orders(workload: Workload, changes: Iterable[ClusterChange]) -> tuple[ClusterChange, ...]:
    """What may have made a new revision of it, oldest first."""
    own = workload.kind, workload.namespace, workload.name
    found = (one for one in changes if (one.kind, one.namespace, one.name) == own and one.template)
    return tuple(sorted(found, key=lambda one: one.at_ns))


def made_by(order: ClusterChange, start: Start) -> bool:
    """Whether a revision came right after an order."""
    return order.at_ns - _BEFORE_NS <= start.at_ns <= order.at_ns + _AFTER_NS


def find_unmatched(
    workload: Workload,
    starts: Sequence[Start],
    orders: Iterable[ClusterChange],
    made: Mapping[str, ClusterChange],
) -> Iterator[Start]:
    """Orders that nothing known came of, where the revisions' numbers leave room for one that is gone.

    `made` are the replica sets that the audit log tells of, by their names. Where it tells of any, an order
    that none follows made none: it may still have brought an old one back.
    """
    images = {name: one.images for name, one in made.items()}
    images |= {revision.name: revision.images for revision in workload.revisions}
    for order in orders:
        if not order.images or any(made_by(order, start) for start in starts):
            continue
        last = next((start for start in reversed(starts) if start.at_ns < order.at_ns), None)
        following = next((start for start in starts if start.at_ns > order.at_ns), None)
        is_in_force = last is not None and images.get(last.name) == order.images
        if is_in_force or not _has_room(last, following, workload):
            continue
        name = _find_returned(order, workload)
        if name or not made:
            yield Start(order.at_ns, True, name, order.ref, () if name else order.images, sure=False)


def _has_room(last: Start | None, following: Start | None, workload: Workload) -> bool:
    """Every rollout takes a number: between two in a row there was none, nor after the current one's."""
    known = {revision.name: revision for revision in workload.revisions}
    before = known.get(last.name) if last else None
    if following is None:
        current = workload.current
        return current is None or current.returned or before is None
    after = known.get(following.name)
    if after is None or after.returned:
        return True
    if before is None:
        return last is not None or after.number != 1
    return before.returned or after.number - before.number != 1


def _find_returned(order: ClusterChange, workload: Workload) -> str:
    """The one revision that came back, if its images are those that were ordered."""
    names = [one.name for one in workload.revisions if one.returned and one.images == order.images]
    return names[0] if len(names) == 1 else ""


def find_deleted(
    facts: ClusterFacts, changes: Sequence[ClusterChange], window: Window | None
) -> Iterator[tuple[Workload, tuple[str, ...]]]:
    """Workloads of the window that the cluster does not have any more, each with what is to be said of it.

    Where workloads could not be listed nobody can say that one is gone.
    """
    if window is None or any(one.may_hold(f"{kind}s") for one in facts.unread for kind in _LISTED):
        return
    there = {(one.kind, one.namespace, one.name) for one in facts.workloads}
    told = defaultdict[tuple[str, str, str], list[ClusterChange]](list)
    for one in changes:
        told[workload_of(one)].append(one)
    for kind, namespace, name in sorted(told.keys() - there):
        if not (kind and name and facts.covers(namespace)):
            continue
        own = told[kind, namespace, name]
        ends = [one.at_ns for one in own if (one.verb, one.kind) == ("delete", kind)]
        first = min(own, key=lambda one: one.at_ns)
        begins_ns = first.at_ns if first.verb == "create" else None
        if (ends and max(ends) <= window.start_ns) or (begins_ns or 0) >= window.end_ns:
            continue
        said = f"deleted {format_instant(max(ends), 0)}, by the audit log" if ends else _GONE
        yield Workload(kind, namespace, name, 0, created_ns=begins_ns), (said,)


_LISTED = ("deployment", "stateful set", "statefulset", "replica set", "replicaset")
_GONE = "the cluster does not have it any more: the audit log alone tells of it"


def workload_of(one: ClusterChange) -> tuple[str, str, str]:
    """Kind, namespace and name of what a change is about; of a replica set of its deployment, if any."""
    if one.kind == "replicaset":
        return ("deployment" if one.owner else "", one.namespace, one.owner)
    return one.kind, one.namespace, one.name


def find_end(workload: Workload, changes: Iterable[ClusterChange]) -> int | None:
    """When one that is gone was deleted, if that is told."""
    own = workload.kind, workload.namespace, workload.name
    ends = [one.at_ns for one in changes if (one.kind, one.namespace, one.name, one.verb) == (*own, "delete")]
    return max(ends, default=None)
