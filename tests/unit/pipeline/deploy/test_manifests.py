"""The manifests: whole, in agreement with the code, and no more rights than a service needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from pipeline.local.kafka_admin import ALL_TOPICS
from pipeline.local.services import SERVICES, Service
from pipeline.wire.ending import HARD_EXIT_S
from tests.unit.pipeline.deploy.asking import READ_BY_ALL, ask_settings
from tests.unit.pipeline.deploy.manifests import (
    DEPLOY,
    containers,
    environment_of,
    of_kind,
    read_documents,
    read_resources,
)

FILES = sorted(path.name for path in DEPLOY.glob("*.yaml") if path.name != "compose.yaml")
DEPLOYMENTS = of_kind("Deployment")
WORKLOADS = DEPLOYMENTS | {
    f"redpanda {row['kind']}": row
    for row in read_documents("redpanda.yaml")
    if row["kind"] in ("StatefulSet", "Job")
}


def workloads(among: Mapping[str, dict[str, Any]] = WORKLOADS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("workload", among.values(), ids=among.keys())


@pytest.mark.parametrize("name", FILES)
def test_every_file_parses_to_objects_of_the_one_namespace(name: str) -> None:
    """Each has an API version, a kind, a name, and stands in the namespace."""
    for row in read_documents(name):
        if row["kind"] == "Kustomization":
            continue
        assert row["apiVersion"]
        assert row["metadata"]["name"]
        namespace = "voice-agent" if row["kind"] != "Namespace" else None
        assert row["metadata"].get("namespace") == namespace


def test_every_file_is_named_by_the_kustomization_or_says_when_it_is_applied() -> None:
    """A file that nothing lists would be forgotten."""
    (kustomization,) = read_documents("kustomization.yaml")
    apart = {"kustomization.yaml", "redpanda.yaml", "gke.yaml"}

    assert set(FILES) == {*kustomization["resources"], *apart}


def test_no_object_stands_twice() -> None:
    """The second would silently win; redpanda.yaml takes the place of kafka.yaml."""
    keys = Counter((row["kind"], row["metadata"]["name"]) for row in read_resources())
    redpanda = {(row["kind"], row["metadata"]["name"]) for row in read_documents("redpanda.yaml")}

    assert keys.most_common(1)[0][1] == 1
    assert redpanda & set(keys) == {("Service", "kafka")}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_service_of_the_stack_is_deployed_under_its_name(service: Service) -> None:
    """Deployment, container, image, account, Service and label are called as the stack calls it."""
    deployment = DEPLOYMENTS[service.name]
    (container,) = containers(deployment)
    pod = deployment["spec"]["template"]

    assert container["name"] == service.name
    assert container["image"].partition(":")[0] == f"voice-agent/{service.name}"
    assert pod["metadata"]["labels"]["app"] == service.name
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": service.name}
    assert of_kind("Service")[service.name]["spec"]["selector"] == {"app": service.name}
    assert pod["spec"]["serviceAccountName"] in of_kind("ServiceAccount")


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_understands_its_manifest_and_its_manifest_sets_nothing_else(service: Service) -> None:
    """Settings are read from what the cluster would give: nothing missing, nothing unknown."""
    variables = environment_of(DEPLOYMENTS[service.name])
    asked = ask_settings(service.argv[2], variables)

    assert set(variables) <= asked | READ_BY_ALL
    assert "HOST" in variables, "without it a pod listens where nobody reaches it"


@pytest.mark.parametrize("deployment", DEPLOYMENTS.values(), ids=DEPLOYMENTS.keys())
def test_what_can_be_set_is_set_in_the_open(deployment: dict[str, Any]) -> None:
    """Every value of the ConfigMap is used by somebody; a secret is no part of it."""
    assert environment_of(deployment)
    used = {name for row in DEPLOYMENTS.values() for name in environment_of(row)}

    assert set(of_kind("ConfigMap")["voice-agent"]["data"]) <= used


@workloads()
def test_no_image_floats(workload: dict[str, Any]) -> None:
    """A tag that moves makes two pods of one deployment differ; the registry is the user's."""
    for container in containers(workload):
        name, _, tag = container["image"].partition(":")
        assert tag
        assert tag != "latest"
        assert "." not in name.partition("/")[0], "no registry host"


@workloads()
def test_a_pod_has_the_least_rights(workload: dict[str, Any]) -> None:
    """The restricted pod security standard, and no token of the API."""
    pod = workload["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(workload):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert not {"privileged", "runAsUser"} & set(context)


@workloads(DEPLOYMENTS)
def test_a_service_writes_to_its_own_volumes_only(workload: dict[str, Any]) -> None:
    """The root filesystem is read-only; every volume is bounded and mounted."""
    (container,) = containers(workload)
    volumes = workload["spec"]["template"]["spec"].get("volumes", [])

    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {v["name"] for v in volumes} == {m["name"] for m in container.get("volumeMounts", [])}
    assert all(volume["emptyDir"]["sizeLimit"] for volume in volumes)


@workloads(DEPLOYMENTS)
def test_a_folder_that_a_service_is_told_of_is_a_volume(workload: dict[str, Any]) -> None:
    """STATE_DIR on the read-only root would fail at the first write."""
    (container,) = containers(workload)
    folder = environment_of(workload).get("STATE_DIR")

    assert folder is None or folder in {mount["mountPath"] for mount in container["volumeMounts"]}


@workloads(DEPLOYMENTS)
def test_a_service_is_asked_how_it_is(workload: dict[str, Any]) -> None:
    """All three probes, on the port that it listens on, by the port's name."""
    (container,) = containers(workload)
    (port,) = container["ports"]

    assert str(port["containerPort"]) == environment_of(workload)["PORT"]
    for probe, path in (("startup", "/healthz"), ("liveness", "/healthz"), ("readiness", "/readyz")):
        assert container[f"{probe}Probe"]["httpGet"] == {"path": path, "port": port["name"]}


@workloads()
def test_every_container_says_what_it_needs(workload: dict[str, Any]) -> None:
    """Requests for the scheduler, and a bound for memory."""
    for container in containers(workload):
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]


@workloads(DEPLOYMENTS)
def test_a_pod_has_the_time_that_its_drain_takes(workload: dict[str, Any]) -> None:
    """What preStop waits counts against it."""
    (container,) = containers(workload)
    waits_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert workload["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > waits_s + HARD_EXIT_S


@workloads(DEPLOYMENTS)
def test_a_pod_knows_no_other_services_by_accident(workload: dict[str, Any]) -> None:
    """Links would set KAFKA_PORT=tcp://... and the like into settings."""
    assert workload["spec"]["template"]["spec"]["enableServiceLinks"] is False


@workloads(DEPLOYMENTS)
def test_a_service_survives_a_node(workload: dict[str, Any]) -> None:
    """Its pods are spread, and a drain takes one at a time; those that serve nobody do not hold it up."""
    name = workload["metadata"]["name"]
    spread = {row["topologyKey"] for row in workload["spec"]["template"]["spec"]["topologySpreadConstraints"]}

    assert spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    budget = of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget["selector"]["matchLabels"] == {"app": name}
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_an_autoscaler_alone_counts_the_pods_of_what_it_scales() -> None:
    """A number in the Deployment would undo it with every rollout; one without scaler says its own."""
    scaled = {row["spec"]["scaleTargetRef"]["name"] for row in of_kind("HorizontalPodAutoscaler").values()}

    assert {name for name, row in DEPLOYMENTS.items() if "replicas" not in row["spec"]} == scaled


def test_redpanda_creates_the_topics_of_the_pipeline() -> None:
    """By name; audio-in has a partition for each orchestrator that may run."""
    (job,) = (row for row in read_documents("redpanda.yaml") if row["kind"] == "Job")
    (container,) = containers(job)
    script = container["args"][0]
    most = of_kind("HorizontalPodAutoscaler")["orchestrator"]["spec"]["maxReplicas"]

    assert all(topic.name in script for topic in ALL_TOPICS)
    assert f"create audio-in --partitions {most}\n" in script


def test_the_config_map_holds_text() -> None:
    """A bare yes or number is no string, and the API server refuses it."""
    data = yaml.safe_load((DEPLOY / "config.yaml").read_text("utf-8"))["data"]

    assert all(isinstance(value, str) for value in data.values())


def test_the_load_balancer_goes_to_pods() -> None:
    """Each Service behind the Ingress says so: GKE does not do it for a cluster that enforces network policies."""
    (ingress,) = (row for row in read_documents("gke.yaml") if row["kind"] == "Ingress")
    paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    services = of_kind("Service")

    for path in paths:
        annotations = services[path["backend"]["service"]["name"]]["metadata"]["annotations"]
        assert annotations["cloud.google.com/neg"] == '{"ingress": true}'
