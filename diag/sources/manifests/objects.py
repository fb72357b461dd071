"""A YAML document -> the objects that it asks Kubernetes for."""

from __future__ import annotations

from collections.abc import Iterator

from diag.model.containers import Container, Port, Probe
from diag.model.manifests import WORKLOADS, Manifest
from diag.normalise import redact_text
from diag.sources.manifests.nodes import Node

_MOST_CONTAINERS = 50
_MOST_NAMES = 500
_PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
_HANDLERS = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc", "exec": "exec"}


def to_manifests(root: Node, path: str) -> Iterator[Manifest]:
    """The object of a document, or those of a ``List``; nothing of what is no object."""
    kind = root.at("kind").text
    if kind.endswith("List") and root.at("items").items:
        for item in root.at("items").items:
            yield from to_manifests(item, path)
    elif kind and root.at("metadata", "name").text:
        yield _to_manifest(root, kind.lower(), path)


def _to_manifest(root: Node, kind: str, path: str) -> Manifest:
    spec = root.at("spec")
    pods = spec.at("template", "spec") if kind != "pod" else spec
    target = spec.at("scaleTargetRef")
    selector = spec.at("selector", "matchLabels") if kind in WORKLOADS else spec.at("selector")
    return Manifest(
        kind=kind,
        namespace=root.at("metadata", "namespace").text,
        name=root.at("metadata", "name").text,
        path=path,
        line=root.line,
        replicas=spec.at("replicas").number,
        least=spec.at("minReplicas").number,
        most=spec.at("maxReplicas").number,
        target=f"{target.at('kind').text.lower()}/{target.at('name').text}" if target.fields else "",
        affinity=spec.at("sessionAffinity").text if kind == "service" else "",
        service_kind=spec.at("type").text if kind == "service" else "",
        selector=selector.texts,
        ports=tuple(map(_to_port, spec.at("ports").items[:_MOST_NAMES])) if kind == "service" else (),
        containers=tuple(map(_to_container, pods.at("containers").items[:_MOST_CONTAINERS])),
        lines=dict(_find_lines(spec, pods)),
    )


def _find_lines(spec: Node, pods: Node) -> Iterator[tuple[str, int]]:
    for name in ("replicas", "maxReplicas", "sessionAffinity", "type"):
        if spec.at(name).line:
            yield name, spec.at(name).line
    for one in pods.at("containers").items[:_MOST_CONTAINERS]:
        if one.at("image").line:
            yield f"image of {one.at('name').text}", one.at("image").line


def _to_container(node: Node) -> Container:
    """Of its variables only the names; what they hold may be a secret."""
    image = node.at("image").text
    return Container(
        name=node.at("name").text,
        image=redact_text(image) if "://" in image else image,
        ports=tuple(
            Port(one.at("containerPort").number or 0, one.at("name").text, one.at("protocol").text or "TCP")
            for one in node.at("ports").items[:_MOST_NAMES]
        ),
        probes=tuple(_to_probe(role, node.at(key)) for key, role in _PROBES.items() if node.at(key).fields),
        variables=tuple(one.at("name").text for one in node.at("env").items[:_MOST_NAMES]),
        pull_policy=node.at("imagePullPolicy").text,
    )


def _to_port(node: Node) -> Port:
    number = node.at("port").number or 0
    target = node.at("targetPort").text or str(number)
    return Port(number, node.at("name").text, node.at("protocol").text or "TCP", target)


def _to_probe(role: str, node: Node) -> Probe:
    key = next((key for key in _HANDLERS if key in node.fields), "")
    asked = node.at(key)
    return Probe(
        role=role,
        handler=_HANDLERS.get(key, ""),
        port=asked.at("port").text,
        path=redact_text(asked.at("path").text),
        delay_s=node.at("initialDelaySeconds").number or 0,
        period_s=node.at("periodSeconds").number or 10,
        timeout_s=node.at("timeoutSeconds").number or 1,
        failures=node.at("failureThreshold").number or 3,
    )
