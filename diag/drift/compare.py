"""Object by object: what a file asks for, and what the cluster has now.

Only what both sides say is compared. What an autoscaler sets, what a kustomization changes in a way that is
not followed, and what two files say differently, is told as not compared: nobody is accused on a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from diag.drift.images import tell_difference
from diag.model.cluster import Service, Workload, covers
from diag.model.cluster_view import ClusterView
from diag.model.containers import Port
from diag.model.manifests import WORKLOADS, Difference, Drift, Manifest, Manifests

_SERVICE = "service"
_AUTOSCALER = "horizontalpodautoscaler"
_UNREAD = {"deployment": "deployments", "statefulset": "stateful sets", _SERVICE: "services"}

_Key = tuple[str, str]
"""Kind and name."""


def compare(files: Manifests, cluster: ClusterView) -> Drift:
    """Every difference, in the order of the files, then what no file has."""
    differences: list[Difference] = []
    not_compared: list[tuple[str, str]] = []
    compared = 0
    live = _Live(cluster, files)
    for asked in _group(files.objects):
        reason = _find_doubt(asked)
        one = asked[0]
        if not reason and not live.find(one):
            reason = live.explain_absence(one)
        if reason:
            not_compared.append((f"{one.kind}/{one.name}", reason))
            continue
        compared += 1
        differences += live.compare(one)
    differences += live.find_unasked(files)
    return Drift(tuple(differences), compared, tuple(not_compared))


def _group(objects: Iterable[Manifest]) -> Iterator[tuple[Manifest, ...]]:
    """The objects that can be compared, those of one name together."""
    known: defaultdict[tuple[str, str, str], list[Manifest]] = defaultdict(list)
    for one in objects:
        if one.kind in (*WORKLOADS, _SERVICE):
            known[one.kind, one.namespace, one.name].append(one)
    return (tuple(alike) for alike in known.values())


def _find_doubt(alike: tuple[Manifest, ...]) -> str:
    """Why it is not known what the files want."""
    patched = next((one.patched_by for one in alike if one.patched_by), "")
    if patched:
        return f"{patched} changes it"
    if len(alike) > 1:
        return f"it stands in {' and '.join(dict.fromkeys(one.ref for one in alike[:3]))}"
    return ""


class _Live:
    """The cluster's side."""

    def __init__(self, cluster: ClusterView, files: Manifests) -> None:
        self._cluster = cluster
        self._objects: defaultdict[_Key, list[Workload | Service]] = defaultdict(list)
        for view in cluster.workloads:
            self._objects[view.workload.kind, view.workload.name].append(view.workload)
        for service in cluster.services:
            self._objects[_SERVICE, service.name].append(service)
        targets = [one.target for one in cluster.autoscalers]
        targets += [one.target for one in files.objects if one.kind == _AUTOSCALER]
        self._scaled = frozenset(targets)

    def find(self, one: Manifest) -> Workload | Service | None:
        """The object that a manifest asks for; without a namespace there, the only one of its name."""
        alike = self._objects.get((one.kind, one.name), [])
        if not one.namespace:
            return alike[0] if len(alike) == 1 else None
        return next((live for live in alike if live.namespace == one.namespace), None)

    def explain_absence(self, one: Manifest) -> str:
        """Why it can not be said to be missing; empty if it can."""
        unread = next((u.reason for u in self._cluster.unread if u.may_hold(_UNREAD[one.kind])), "")
        if unread:
            return f"the cluster's were not read: {unread}"
        if not one.namespace:
            return "the file names no namespace, and the cluster has none or several of that name"
        if not covers(self._cluster.namespaces, one.namespace):
            return f"the namespace {one.namespace} was not read"
        cluster = self._cluster
        left_out = cluster.services_left_out if one.kind == _SERVICE else cluster.left_out
        if left_out:
            return f"it is none of the session's services, and {left_out} others were left out"
        return ""

    def compare(self, one: Manifest) -> Iterator[Difference]:
        """The fields of an object that differ, or that there is none."""
        live = self.find(one)
        if live is None:
            yield Difference(one.kind, one.namespace, one.name, "not in the cluster", file_ref=one.ref)
        elif isinstance(live, Workload):
            yield from self._compare_workload(one, live)
        else:
            yield from _compare_service(one, live)

    def _compare_workload(self, one: Manifest, live: Workload) -> Iterator[Difference]:
        running = {container.name: container.image for container in live.containers}
        for wanted in one.containers:
            if wanted.image and wanted.name in running:
                what = tell_difference(wanted.image, running[wanted.name])
                if what:
                    sides = wanted.image, running[wanted.name]
                    yield _differ(one, live, f"image of {wanted.name}", sides, f"the {what} differs")
        scaled = f"{one.kind}/{one.name}" in self._scaled
        if one.replicas is not None and one.replicas != live.wanted and not scaled:
            yield _differ(one, live, "replicas", (str(one.replicas), str(live.wanted)))

    def find_unasked(self, files: Manifests) -> Iterator[Difference]:
        """Workloads that no file asks for, where every file was read."""
        if files.not_read or files.cut or not files.workloads:
            return
        asked = {(one.kind, one.name) for one in files.workloads}
        spaces = {one.namespace for one in files.workloads}
        for view in self._cluster.workloads:
            live = view.workload
            if (live.kind, live.name) not in asked and (live.namespace in spaces or "" in spaces):
                yield Difference(live.kind, live.namespace, live.name, "in no file", live_ref=live.ref)


def _compare_service(one: Manifest, live: Service) -> Iterator[Difference]:
    wanted = {
        "sessionAffinity": (one.affinity or "None", live.affinity),
        "type": (one.service_kind or "ClusterIP", live.kind),
        "selector": (_join(one.selector), _join(live.selector)),
        "ports": (_numbers(one.ports), _numbers(live.ports)),
    }
    for what, sides in wanted.items():
        if sides[0] != sides[1]:
            yield _differ(one, live, what, sides)


def _differ(
    one: Manifest, live: Workload | Service, what: str, sides: tuple[str, str], note: str = ""
) -> Difference:
    """`sides` are the file's value and the cluster's."""
    wanted, now = sides
    return Difference(
        kind=one.kind,
        namespace=live.namespace,
        name=one.name,
        what=what,
        wanted=wanted,
        live=now,
        file_ref=one.ref_of(what),
        live_ref=f"{live.ref}:{what.partition(' ')[0]}",
        note=note,
    )


def _join(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={text}" for key, text in sorted(selector.items()))


def _numbers(ports: Iterable[Port]) -> str:
    return ", ".join(sorted(f"{one.number}/{one.protocol}" for one in ports))
