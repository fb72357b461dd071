"""The environment that a container's process gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.local.kubelet.environment import (
    CONFIG_MAP,
    SECRET,
    ConfigError,
    Surroundings,
    build_environment,
    expand,
    list_references,
)
from pipeline.local.kubelet.names import resolve_names
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec

AROUND = Surroundings(
    node="node-1",
    host_ip="127.0.0.1",
    pod_ip="10.244.3.4",
    base={"PATH": "/bin"},
    configs={
        (CONFIG_MAP, "settings"): {"STT_URL": "http://stt-service:8080", "PROJECT": "local"},
        (SECRET, "login"): {"TOKEN": "t"},
    },
    cluster_ips={("voice-agent", "stt-service"): "10.96.0.7", ("other", "kafka"): "10.96.0.8"},
    volumes={"state": Path("/stack/volumes/u/state")},
)


def build(**manifest: Any) -> dict[str, str]:
    metadata = {"labels": {"app": "orchestrator"}}
    pod = PodSpec("voice-agent", "orchestrator-1", "u", manifest={"metadata": metadata, "spec": {}})
    built = build_environment(pod, ContainerSpec("c", "i", manifest=manifest), AROUND)
    return {name: value for name, value in built.items() if name not in {"PATH", "HOSTNAME"}}


def from_field(path: str) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}


def from_config(key: str, **more: Any) -> dict[str, Any]:
    return {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": key, **more}}}


def test_values_come_from_the_spec_config_maps_secrets_and_the_pod() -> None:
    """What ``env`` names wins over ``envFrom``; later variables may refer to earlier ones."""
    secret = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "login", "key": "TOKEN"}}}
    built = build(
        envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "P_"}],
        env=[
            {"name": "P_PROJECT", "value": "mine"},
            {"name": "GREETING", "value": "$(P_PROJECT) $(NO)"},
            secret,
        ],
    )

    assert built == {
        "P_STT_URL": "http://127.96.0.7:8080",
        "P_PROJECT": "mine",
        "GREETING": "mine $(NO)",
        "TOKEN": "t",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "orchestrator-1"),
        ("metadata.labels['app']", "orchestrator"),
        ("spec.nodeName", "node-1"),
        ("status.podIP", "127.244.3.4"),
    ],
)
def test_the_downward_api_tells_the_pod_about_itself(path: str, value: str) -> None:
    """Its address is the one that this machine serves."""
    assert build(env=[from_field(path)]) == {"X": value}


def test_no_process_is_let_beyond_the_loopback_interface() -> None:
    """The manifests allow it, for pods that have a network of their own."""
    assert build(env=[{"name": "LISTEN_BEYOND_LOOPBACK", "value": "yes"}]) == {}


def test_a_path_below_a_volume_is_in_the_volumes_folder() -> None:
    """A process has no mounts of its own."""
    mounts = [{"name": "state", "mountPath": "/var/lib/voice"}]
    env = [{"name": "DIR", "value": "/var/lib/voice/db"}, {"name": "NOT", "value": "/var/lib/voice2"}]

    assert build(env=env, volumeMounts=mounts) == {
        "DIR": "/stack/volumes/u/state/db",
        "NOT": "/var/lib/voice2",
    }


def test_what_is_missing_is_told_in_the_kubelets_words_unless_it_is_optional() -> None:
    """The waiting message of CreateContainerConfigError."""
    with pytest.raises(ConfigError, match="couldn't find key NO in ConfigMap voice-agent/settings"):
        build(env=[from_config("NO")])
    with pytest.raises(ConfigError, match='secret "none" not found'):
        build(envFrom=[{"secretRef": {"name": "none"}}])

    assert build(env=[from_config("NO", optional=True)]) == {}
    assert list_references(ContainerSpec("c", "i", manifest={"env": [from_config("NO")]})) == {
        (CONFIG_MAP, "settings")
    }


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("http://stt-service:8080/v1", "http://127.96.0.7:8080/v1"),
        ("ws://stt-service.voice-agent.svc.cluster.local:80", "ws://127.96.0.7:80"),
        ("stt-service:9,kafka.other:9092", "127.96.0.7:9,127.96.0.8:9092"),
        ("kafka:9092", "kafka:9092"),
        ("http://stt-service.example.com:80", "http://stt-service.example.com:80"),
        ("my-stt-service:1", "my-stt-service:1"),
        ("stt-service", "stt-service"),
        ("user@stt-service:1", "user@stt-service:1"),
    ],
)
def test_a_services_name_before_a_port_becomes_its_address(value: str, resolved: str) -> None:
    """Only a whole host name that a Service has, in its namespace."""
    assert resolve_names(value, "voice-agent", AROUND.cluster_ips) == resolved


def test_arguments_are_expanded_as_the_kubelet_does() -> None:
    """A known variable, an unknown one, an escaped one."""
    assert expand(["--port=$(PORT)", "$(NO)", "$$(PORT)"], {"PORT": "8080"}) == (
        "--port=8080",
        "$(NO)",
        "$(PORT)",
    )
