"""The environment of a container's process, out of its spec, ConfigMaps and Secrets. Pure.

Two things differ from a real node, because a process of this machine has neither the cluster's network
nor a file system of its own: an address or the name of a Service is given as the loopback address that
serves it, and a path below a mounted volume as the volume's folder. And one is withheld: the leave to
listen beyond the loopback interface, which is for processes that have a network of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.local.control_plane.network import to_loopback
from pipeline.local.kubelet.names import ClusterIps, resolve_names
from pipeline.local.kubelet.spec import ContainerSpec, Manifest, PodSpec
from pipeline.wire.environment import BEYOND_LOOPBACK

CONFIG_MAP, SECRET = "ConfigMap", "Secret"

Reference = tuple[str, str]

_VARIABLE = re.compile(r"\$(?:\$|\((?P<name>[-._a-zA-Z][-._a-zA-Z0-9]*)\))")
_KEYED_FIELD = re.compile(r"metadata\.(?P<group>labels|annotations)\['(?P<key>[^']+)'\]")


class ConfigError(Exception):
    """The container cannot be configured; the text is the kubelet's."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a container's environment is made of beside its spec.

    Attributes:
        base: what every process gets.
        configs: the texts of the ConfigMaps and Secrets, by kind and name; those that exist.
        cluster_ips: the addresses of Services by namespace and name.
        volumes: the folders of the pod's volumes, by name.
    """

    node: str
    host_ip: str
    pod_ip: str
    base: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[Reference, Mapping[str, str]] = field(default_factory=dict)
    cluster_ips: ClusterIps = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)


def list_references(spec: ContainerSpec) -> set[Reference]:
    """The ConfigMaps and Secrets that the container names, optional ones too."""
    return {(kind, source["name"]) for kind, source in _sources(spec)}


def _sources(spec: ContainerSpec) -> Iterator[tuple[str, Manifest]]:
    for source in spec.manifest.get("envFrom", ()):
        yield from _kinds(source, "configMapRef", "secretRef")
    for variable in spec.manifest.get("env", ()):
        yield from _kinds(variable.get("valueFrom", {}), "configMapKeyRef", "secretKeyRef")


def _kinds(source: Manifest, config_map: str, secret: str) -> Iterator[tuple[str, Manifest]]:
    if config_map in source:
        yield CONFIG_MAP, source[config_map]
    if secret in source:
        yield SECRET, source[secret]


def build_environment(pod: PodSpec, spec: ContainerSpec, around: Surroundings) -> dict[str, str]:
    """The whole environment of the process; raises `ConfigError`."""
    variables: dict[str, str] = {}
    for source in spec.manifest.get("envFrom", ()):
        variables |= _read_all(source, around)
    for variable in spec.manifest.get("env", ()):
        value = _read_value(pod, variable, variables, around)
        if value is not None:
            variables[variable["name"]] = value
    localised = {
        name: _localise(value, pod, spec, around)
        for name, value in variables.items()
        if name != BEYOND_LOOPBACK
    }
    return {"HOSTNAME": pod.name} | dict(around.base) | localised


def expand(texts: Sequence[str], variables: Mapping[str, str]) -> tuple[str, ...]:
    """Each text with ``$(NAME)`` replaced; an unknown name stays, ``$$`` is a dollar."""

    def replace(match: re.Match[str]) -> str:
        return variables.get(match["name"], match[0]) if match["name"] else "$"

    return tuple(_VARIABLE.sub(replace, text) for text in texts)


def _read_all(source: Manifest, around: Surroundings) -> dict[str, str]:
    """All keys of what one ``envFrom`` names."""
    [(kind, reference)] = _kinds(source, "configMapRef", "secretRef")
    data = _find(kind, reference, around)
    return {source.get("prefix", "") + key: value for key, value in (data or {}).items()}


def _read_value(
    pod: PodSpec, variable: Manifest, before: Mapping[str, str], around: Surroundings
) -> str | None:
    """The value of one variable; None where an optional one is missing."""
    origin = variable.get("valueFrom")
    if origin is None:
        return expand((variable.get("value", ""),), before)[0]
    if "fieldRef" in origin:
        return _read_field(pod, origin["fieldRef"]["fieldPath"], around)
    for kind, reference in _kinds(origin, "configMapKeyRef", "secretKeyRef"):
        return _read_key(pod, kind, reference, around)
    raise ConfigError(f"valueFrom of {variable['name']} is of a kind that this kubelet does not know")


def _read_key(pod: PodSpec, kind: str, reference: Manifest, around: Surroundings) -> str | None:
    data, key = _find(kind, reference, around), reference["key"]
    if data is not None and key in data:
        return data[key]
    if reference.get("optional"):
        return None
    raise ConfigError(f"couldn't find key {key} in {kind} {pod.namespace}/{reference['name']}")


def _find(kind: str, reference: Manifest, around: Surroundings) -> Mapping[str, str] | None:
    data = around.configs.get((kind, reference["name"]))
    if data is None and not reference.get("optional"):
        raise ConfigError(f'{kind.lower()} "{reference["name"]}" not found')
    return data


def _read_field(pod: PodSpec, path: str, around: Surroundings) -> str:
    """The downward API (Kubernetes, "Downward API", fields for containers)."""
    keyed = _KEYED_FIELD.fullmatch(path)
    if keyed:
        values: Mapping[str, str] = pod.manifest["metadata"].get(keyed["group"], {})
        return values.get(keyed["key"], "")
    fields = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": around.node,
        "spec.serviceAccountName": pod.manifest.get("spec", {}).get("serviceAccountName", ""),
        "status.hostIP": around.host_ip,
        "status.podIP": around.pod_ip,
        "status.podIPs": around.pod_ip,
    }
    if path not in fields:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return to_loopback(fields[path]) if path.startswith("status.podIP") else fields[path]


def _localise(value: str, pod: PodSpec, spec: ContainerSpec, around: Surroundings) -> str:
    for mount in spec.manifest.get("volumeMounts", ()):
        path = mount["mountPath"].rstrip("/")
        folder = around.volumes.get(mount["name"])
        if folder and (value == path or value.startswith(f"{path}/")):
            return f"{folder}{value.removeprefix(path)}"
    return resolve_names(value, pod.namespace, around.cluster_ips)
