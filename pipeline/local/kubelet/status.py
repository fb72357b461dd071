"""A pod's status as the API server keeps it, out of the spec and what was seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.local.kubelet.observations import ContainerSeen, Running
from pipeline.local.kubelet.phase import FAILED, Condition, judge_phase, list_conditions
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec
from pipeline.local.kubelet.times import to_rfc3339


@dataclass(frozen=True, slots=True)
class PodSeen:
    """What was seen of one pod.

    Attributes:
        containers: of all containers and init containers, by name.
        host_ip: the node's address.
        pod_ip: empty before the pod has one.
        start_time: when the kubelet took the pod up, seconds since the epoch.
        is_ending: no container will be started again.
        eviction: why the kubelet has put an end to it; empty if it has not.
    """

    containers: Mapping[str, ContainerSeen]
    host_ip: str
    pod_ip: str
    start_time: float
    is_ending: bool = False
    eviction: str = ""


def build_status(pod: PodSpec, seen: PodSeen, known: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The fields of ``status`` that the kubelet owns.

    `known` is the status that the API server has: a condition that has not changed keeps the time of
    its last transition, so that the same observations give the same status again.
    """
    phase = FAILED if seen.eviction else judge_phase(pod, seen.containers, is_ending=seen.is_ending)
    conditions = list_conditions(pod, seen.containers, phase)
    if seen.eviction:
        evicted = Condition(
            "DisruptionTarget", holds=True, reason="TerminationByKubelet", message=seen.eviction
        )
        conditions.append(evicted)
    generation = _generation(pod)
    status = {
        **generation,
        "phase": phase,
        "conditions": [_date(condition, known, now) | generation for condition in conditions],
        "hostIP": seen.host_ip,
        "hostIPs": [{"ip": seen.host_ip}],
        "startTime": to_rfc3339(seen.start_time),
        "containerStatuses": [_describe(spec, seen.containers[spec.name]) for spec in pod.containers],
    }
    if seen.eviction:
        status |= {"reason": "Evicted", "message": seen.eviction}
    if seen.pod_ip:
        status |= {"podIP": seen.pod_ip, "podIPs": [{"ip": seen.pod_ip}]}
    if pod.init_containers:
        init = [_describe_init(spec, seen.containers[spec.name]) for spec in pod.init_containers]
        status["initContainerStatuses"] = init
    return status


def build_patch(pod: PodSpec, status: Mapping[str, Any]) -> dict[str, Any]:
    """The strategic merge patch that makes the pod's status `status`.

    It applies to this pod only, not to another of its name. The addresses take the place of those that a
    kubelet before this one gave; they would be added to them otherwise.
    """
    replaced = {
        field: [*status[field], {"$patch": "replace"}] for field in ("hostIPs", "podIPs") if field in status
    }
    return {"metadata": {"uid": pod.uid}, "status": {**status, **replaced}}


def _generation(pod: PodSpec) -> dict[str, int]:
    generation = pod.manifest.get("metadata", {}).get("generation")
    return {"observedGeneration": generation} if generation else {}


def _date(condition: Condition, known: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The condition with the time since which it has been so."""
    value = "True" if condition.holds else "False"
    before = {known_one["type"]: known_one for known_one in known.get("conditions") or ()}.get(condition.type)
    same = before is not None and before["status"] == value
    return {
        "type": condition.type,
        "status": value,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if before and same else to_rfc3339(now),
        # a patch leaves out nothing: a reason that is gone must be taken away
        "reason": condition.reason or None,
        "message": condition.message or None,
    }


def _describe(spec: ContainerSpec, seen: ContainerSeen) -> dict[str, Any]:
    described = {
        "name": spec.name,
        "state": seen.state.to_manifest(),
        "lastState": seen.last.to_manifest() if seen.last else {},
        "ready": seen.ready,
        "restartCount": seen.restarts,
        "image": spec.image,
        "imageID": seen.image_id,
        "started": seen.started and isinstance(seen.state, Running),
    }
    return described | ({"containerID": seen.container_id} if seen.container_id else {})


def _describe_init(spec: ContainerSpec, seen: ContainerSeen) -> dict[str, Any]:
    """An init container is ready when it has ended well."""
    state = seen.state.to_manifest()
    return _describe(spec, seen) | {"ready": state.get("terminated", {}).get("exitCode") == 0}
