"""What belongs to each workload, sorted once.

A cluster has thousands of workloads, and an audit log tells of more: to look through everything for each of
them anew costs the square of their number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from diag.cluster.changes import workload_of
from diag.cluster.pods import revision_of
from diag.model.cluster import ClusterEvent, Pod, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.cluster_view import PodView

_T = TypeVar("_T")
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Own:
    """What is known of one workload.

    Attributes:
        listed: pods of its revisions, as they are now.
        pods: those of the window.
    """

    events: Sequence[ClusterEvent]
    changes: Sequence[ClusterChange]
    listed: Sequence[Pod]
    pods: Sequence[PodView]


class Belongings:
    """Whose everything is."""

    def __init__(
        self,
        events: Iterable[ClusterEvent],
        changes: Iterable[ClusterChange],
        listed: Iterable[Pod],
        pods: Iterable[PodView],
    ) -> None:
        self._events = _sort(events, lambda one: ((one.kind, one.namespace, one.name),))
        self._changes = _sort(changes, lambda one: (workload_of(one),))
        self._listed = _sort(listed, lambda one: (one.revision,))
        self._pods = _sort(pods, _makers_of)

    def of(self, workload: Workload) -> Own:
        """In the order that all had."""
        key = workload.kind, workload.namespace, workload.name
        revisions = dict.fromkeys(one.name for one in workload.revisions)
        near = {id(pod): pod for name in _names_of(workload) for pod in self._pods.get(name, ())}
        return Own(
            self._events.get(key, ()),
            self._changes.get(key, ()),
            [pod for name in revisions for pod in self._listed.get(name, ())],
            [pod for pod in near.values() if belongs(pod, workload)],
        )


class Makers:
    """The workloads that may have made a pod."""

    def __init__(self, workloads: Iterable[Workload]) -> None:
        self._by_name = _sort(workloads, _names_of)

    def has_one_of(self, pod: PodView) -> bool:
        """Whether one of them made it."""
        near = (one for name in _makers_of(pod) for one in self._by_name.get(name, ()))
        return any(belongs(pod, one) for one in near)


def belongs(pod: PodView, workload: Workload) -> bool:
    """Whether the workload made the pod; of one that is gone its name tells."""
    if pod.namespace and pod.namespace != workload.namespace:
        return False
    if pod.pod is not None:
        return pod.pod.owner == workload.name or any(pod.revision == rev.name for rev in workload.revisions)
    made_by = revision_of(pod.name)
    if workload.kind == "statefulset":
        return made_by == workload.name and pod.name.rpartition("-")[2].isdecimal()
    # its replica set may be gone, too
    return (
        any(made_by == rev.name for rev in workload.revisions) or made_by.rpartition("-")[0] == workload.name
    )


def _names_of(workload: Workload) -> Iterable[str]:
    """Under which its pods name it: its own, its revisions'."""
    return dict.fromkeys((workload.name, *(one.name for one in workload.revisions)))


def _makers_of(pod: PodView) -> Iterable[str]:
    """The names that a pod has of what made it."""
    if pod.pod is not None:
        return dict.fromkeys((pod.pod.owner, pod.revision))
    made_by = revision_of(pod.name)
    return dict.fromkeys((made_by, revision_of(made_by)))


def _sort(things: Iterable[_T], keys_of: Callable[[_T], Iterable[_K]]) -> Mapping[_K, Sequence[_T]]:
    found = defaultdict[_K, list[_T]](list)
    for one in things:
        for key in keys_of(one):
            found[key].append(one)
    return found
