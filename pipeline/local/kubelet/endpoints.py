"""Where the traffic of each Service goes, out of Services and EndpointSlices. Pure.

Source: Kubernetes, "Virtual IPs and Service Proxies" and "EndpointSlices".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.local.control_plane.network import to_loopback

Address = tuple[str, int]
"""A loopback address and a port."""

_SERVICE_LABEL = "kubernetes.io/service-name"
_NO_ADDRESS = "None"


@dataclass(frozen=True, slots=True)
class Route:
    """One port of a Service.

    Attributes:
        backends: who may have a new connection; never none.
        affinity_s: how long a client stays with its backend after its last connection; None for a
            Service without session affinity.
    """

    backends: tuple[Address, ...]
    affinity_s: float | None = None


def list_cluster_ips(services: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The addresses of Services by namespace and name; a headless one has none."""
    return {_key(service): service["spec"]["clusterIP"] for service in services if _has_address(service)}


def build_routes(
    services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]
) -> dict[Address, Route]:
    """The routes by the address at which a Service's port is served.

    A port without a backend has no route: a connection to it is refused, as with kube-proxy.
    """
    by_service: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in slices:
        labels = one["metadata"].get("labels", {})
        by_service.setdefault((one["metadata"]["namespace"], labels.get(_SERVICE_LABEL, "")), []).append(one)
    routes = {}
    for service in filter(_has_address, services):
        for port in service["spec"].get("ports", ()):
            backends = _list_backends(by_service.get(_key(service), ()), port.get("name", ""))
            if backends and port.get("protocol", "TCP") == "TCP":
                address = to_loopback(service["spec"]["clusterIP"])
                routes[address, port["port"]] = Route(backends, _read_affinity(service["spec"]))
    return routes


def _has_address(service: Mapping[str, Any]) -> bool:
    return service["spec"].get("clusterIP", _NO_ADDRESS) not in {_NO_ADDRESS, ""}


def _key(service: Mapping[str, Any]) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def _list_backends(slices: Iterable[Mapping[str, Any]], port_name: str) -> tuple[Address, ...]:
    """Endpoints that are ready; where none is, those that still serve while they end."""
    found = list(_list_endpoints(slices, port_name))
    ready = [address for address, conditions in found if conditions.get("ready") is not False]
    serving = [
        address
        for address, conditions in found
        if conditions.get("serving") is not False and conditions.get("terminating")
    ]
    return tuple(sorted(ready or serving))


def _list_endpoints(
    slices: Iterable[Mapping[str, Any]], port_name: str
) -> Iterator[tuple[Address, Mapping[str, Any]]]:
    for one in slices:
        ports = [port["port"] for port in one.get("ports") or () if (port.get("name") or "") == port_name]
        for endpoint in one.get("endpoints") or ():
            for port in ports:
                yield (to_loopback(endpoint["addresses"][0]), port), endpoint.get("conditions") or {}


def _read_affinity(spec: Mapping[str, Any]) -> float | None:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    return float(spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 10800))
