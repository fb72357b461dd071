"""Names in a cluster, as its DNS reads them."""

from __future__ import annotations

from typing import Any

import pytest

from diag.sources.kube.addresses import PodPort, ServiceName, find_pods, is_address, read_name

OURS = ("voice-agent", "kafka")


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("broker", [("voice-agent", "broker", ""), ("kafka", "broker", "")]),
        ("broker.infra", [("voice-agent", "infra", "broker"), ("kafka", "infra", "broker"), ("infra", "broker", "")]),
        ("broker.infra.svc", [("infra", "broker", "")]),
        ("broker.infra.svc.cluster.local", [("infra", "broker", "")]),
        ("broker-0.broker.infra", [("infra", "broker", "broker-0")]),
        ("broker-0.broker.infra.svc", [("infra", "broker", "broker-0")]),
        ("Broker-0.broker.infra.svc.cluster.local.", [("infra", "broker", "broker-0")]),
        ("broker-0.broker.infra.svc.corp.example", [("infra", "broker", "broker-0")]),
        ("svc.svc.svc", [("svc", "svc", "")]),
        ("kafka.prod.example.com", []),
        ("broker-0..infra", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_name_is_tried_as_a_pod_would_try_it(host: str, meant: list[tuple[str, str, str]]) -> None:
    """All forms that DNS takes, with any domain; what has none of them means nothing."""
    assert [(one.namespace, one.service, one.hostname) for one in read_name(host, OURS)] == meant


@pytest.mark.parametrize(
    ("host", "told"), [("10.8.0.3", True), ("[fd00::3]", True), ("fd00::3", True), ("10-8-0-3", False)]
)
def test_an_address_is_no_name(host: str, told: bool) -> None:
    """Both kinds of addresses, also in brackets."""
    assert is_address(host) is told


def service(address: str = "10.0.0.9") -> dict[str, Any]:
    ports = [{"name": "metrics", "port": 9404}, {"name": "client", "port": 9092, "targetPort": "kafka"}]
    return {"spec": {"clusterIP": address, "ports": ports}}


def endpoint(pod: str, kind: str = "Pod", *, ready: bool | None = None, hostname: str = "") -> dict[str, Any]:
    named = {"hostname": hostname} if hostname else {}
    return {"targetRef": {"kind": kind, "name": pod}, "conditions": {"ready": ready}, **named}


SLICE = {
    "ports": [{"name": "client", "port": 19092}, {"name": "metrics", "port": 19404}],
    "endpoints": [
        endpoint("broker-0", ready=False, hostname="broker-0"),
        endpoint("elsewhere", "Node"),
        endpoint("broker-1", ready=True, hostname="broker-1"),
        endpoint("broker-2-x7x2p"),
    ],
}


def find(name: ServiceName, port: int, of: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one.pod, one.port) for one in find_pods(name, port, of, [{"endpoints": None}, SLICE])]


def test_a_service_leads_to_the_ready_pods_by_their_own_port() -> None:
    """By the name of the port, whatever the number; what is no pod can not be reached, and is left out."""
    meant = ServiceName("kafka", "broker")

    assert find(meant, 9092, service()) == [("broker-1", 19092), ("broker-2-x7x2p", 19092)]
    assert find(meant, 9093, service()) == []
    assert next(find_pods(meant, 9404, service(), [SLICE])) == PodPort("kafka", "broker-1", 19404)


def test_a_headless_service_leads_to_the_port_that_was_named() -> None:
    """DNS gives the pods' addresses: nothing is on the way that would turn one port into another."""
    assert find(ServiceName("kafka", "broker"), 9092, service("None")) == [
        ("broker-1", 9092),
        ("broker-2-x7x2p", 9092),
    ]


def test_a_pod_that_is_named_is_meant_in_any_state() -> None:
    """A broker that is not ready may be the one to ask; a pod without a hostname is found by its name."""
    assert find(ServiceName("kafka", "broker", "broker-0"), 9092, service()) == [("broker-0", 9092)]
    assert find(ServiceName("kafka", "broker", "broker-2-x7x2p"), 1, service()) == [("broker-2-x7x2p", 1)]
    assert find(ServiceName("kafka", "broker", "broker-9"), 9092, service()) == []
