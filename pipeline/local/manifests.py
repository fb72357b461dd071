"""The manifests of ``pipeline/deploy``, as the local cluster can have them.

Nothing here measures pods, so there is no autoscaling; and a workload whose program is not part of the
stack is left out with all that bears its name.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import yaml

from pipeline.local.control_plane.api import Object
from pipeline.local.errors import StackError
from pipeline.local.processes import REPOSITORY, run
from pipeline.local.services import Service
from pipeline.local.state import NAMESPACE

MANIFESTS = REPOSITORY / "pipeline" / "deploy"
NEXT_TAG = "0.1.1"
"""A tag of every image beside those in the manifests, for rollouts that succeed."""

_LEFT_OUT = ("HorizontalPodAutoscaler",)


async def read_manifests(kubectl: Path) -> list[Object]:
    """All objects, as ``kubectl kustomize`` gives them; raises `StackError`."""
    code, text, reason = await run((str(kubectl), "kustomize", str(MANIFESTS)), capture=True, quiet=True)
    if code != 0:
        raise StackError(f"the manifests cannot be read: {reason.strip()}")
    return [item for item in yaml.safe_load_all(text) if item]


def select(items: Iterable[Object], services: Collection[Service]) -> list[Object]:
    """Those that the local cluster can have, of `services` only."""
    items = [item for item in items if item["kind"] not in _LEFT_OUT]
    known = {service.name for service in services}
    unknown = {item["metadata"]["name"] for item in items if is_workload(item)} - known
    return [item for item in items if item["metadata"]["name"] not in unknown]


def is_workload(item: Object) -> bool:
    """Whether the object makes pods of the stack."""
    return bool(item["kind"] == "Deployment")


def write_images(file: Path, items: Iterable[Object], services: Iterable[Service]) -> None:
    """What can be pulled: each workload's image in the tag of its manifest and in `NEXT_TAG`."""
    commands = {service.name: service.argv for service in services}
    images = {}
    for item in filter(is_workload, items):
        for image in _list_images(item):
            repository, _, tag = image.rpartition(":")
            images[repository] = {"tags": [tag, NEXT_TAG], "argv": commands[item["metadata"]["name"]]}
    file.write_text(json.dumps(images, indent=2), "utf-8")


def build_kafka_slice(bootstrap: str) -> Object:
    """The endpoint behind the Service ``kafka``: a broker beside the cluster, at 127.0.0.0/8.

    Its address is written as the cluster's network names it, 10.a.b.c for 127.a.b.c.
    """
    host, _, port = bootstrap.split(",", maxsplit=1)[0].rpartition(":")
    if not host.startswith("127."):
        raise StackError(f"a cluster on this machine reaches brokers at 127.0.0.0/8, not at {host}")
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kafka-local",
            "namespace": NAMESPACE,
            "labels": {
                "kubernetes.io/service-name": "kafka",
                "endpointslice.kubernetes.io/managed-by": "local-stack",
            },
        },
        "addressType": "IPv4",
        "ports": [{"name": "kafka", "port": int(port)}],
        "endpoints": [
            {"addresses": [f"10.{host.removeprefix('127.')}"], "conditions": {"ready": True}},
        ],
    }


def _list_images(workload: Object) -> Iterator[str]:
    for container in workload["spec"]["template"]["spec"]["containers"]:
        yield container["image"]
