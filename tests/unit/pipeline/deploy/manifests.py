"""The manifests as a cluster would read them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[4] / "pipeline" / "deploy"
# What the downward API would put in.
DOWNWARD = {"status.podIP": "10.244.0.7", "metadata.name": "orchestrator-7c9d8b6f5d-x2x4z"}


@cache
def read_documents(name: str) -> list[dict[str, Any]]:
    """The objects of one file; not to be changed."""
    text = (DEPLOY / name).read_text("utf-8")
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


def read_compose() -> dict[str, dict[str, Any]]:
    """The services of the compose file, merge keys resolved."""
    (compose,) = read_documents("compose.yaml")
    return compose["services"]


def read_resources() -> list[dict[str, Any]]:
    """The objects of the kustomization."""
    (kustomization,) = read_documents("kustomization.yaml")
    return [document for name in kustomization["resources"] for document in read_documents(name)]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The kustomization's objects of `kind` by name."""
    return {row["metadata"]["name"]: row for row in read_resources() if row["kind"] == kind}


def containers(workload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The containers of a Deployment, StatefulSet or Job."""
    pod = workload["spec"]["template"]["spec"]
    yield from pod["containers"]
    yield from pod.get("initContainers", ())


def environment_of(deployment: dict[str, Any]) -> dict[str, str]:
    """The variables that the process of its one container gets."""
    (container,) = containers(deployment)
    assert "envFrom" not in container, "each variable is given by name"
    return {row["name"]: _value_of(row) for row in container["env"]}


def _value_of(row: dict[str, Any]) -> str:
    source = row.get("valueFrom", {})
    if "fieldRef" in source:
        return DOWNWARD[source["fieldRef"]["fieldPath"]]
    if "configMapKeyRef" in source:
        reference = source["configMapKeyRef"]
        return of_kind("ConfigMap")[reference["name"]]["data"][reference["key"]]
    return row["value"]
