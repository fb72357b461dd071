"""The compose file: the same services as in a cluster, and nothing of them beyond this machine."""

from __future__ import annotations

import pytest

from pipeline.local.kafka_admin import ALL_TOPICS
from pipeline.local.services import SERVICES, Service
from tests.unit.pipeline.deploy.asking import READ_BY_ALL, ask_settings
from tests.unit.pipeline.deploy.manifests import of_kind, read_compose, read_documents

COMPOSE = read_compose()
OURS = set(COMPOSE) - {"kafka", "topics"}


def test_the_same_services_run_as_in_a_cluster() -> None:
    """From the same images, built by the targets of their names."""
    deployments = of_kind("Deployment")
    images = {
        name: row["spec"]["template"]["spec"]["containers"][0]["image"] for name, row in deployments.items()
    }

    assert {name: COMPOSE[name]["image"] for name in OURS} == images
    assert {name: COMPOSE[name]["build"]["target"] for name in OURS} == {name: name for name in OURS}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_understands_its_variables_and_nothing_else_is_set(service: Service) -> None:
    """As with its manifest."""
    variables = COMPOSE[service.name]["environment"]

    assert all(isinstance(value, str) for value in variables.values())
    assert set(variables) <= ask_settings(service.argv[2], variables) | READ_BY_ALL


def test_ports_are_open_to_this_machine_only() -> None:
    """A port without an address would be open to the whole network."""
    assert all(
        port.startswith("127.0.0.1:") for service in COMPOSE.values() for port in service.get("ports", ())
    )


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_has_the_least_rights(name: str) -> None:
    """As in a cluster: a root that it cannot write, no capability, no way to more."""
    assert COMPOSE[name]["read_only"] is True
    assert COMPOSE[name]["cap_drop"] == ["ALL"]
    assert COMPOSE[name]["security_opt"] == ["no-new-privileges:true"]
    folder = COMPOSE[name]["environment"].get("STATE_DIR")
    assert folder is None or any(mount.startswith(f"{folder}:") for mount in COMPOSE[name]["tmpfs"])


def test_topics_are_made_as_in_a_cluster() -> None:
    """By the same script; compose takes a dollar for its own unless it stands twice."""
    (job,) = (row for row in read_documents("redpanda.yaml") if row["kind"] == "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (script,) = COMPOSE["topics"]["command"]

    assert script.replace("$$", "$") == container["args"][0]
    assert COMPOSE["topics"]["image"] == COMPOSE["kafka"]["image"] == container["image"]
    assert all(topic.name in script for topic in ALL_TOPICS)
