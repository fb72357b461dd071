"""What a name means inside of a cluster, as its DNS would say: a service, a pod of one, or an address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from diag.sources.kube.fields import Object, dig, list_at, number_at, text_at

_SVC = "svc"
_NO_ADDRESS = "None"
"""The ``clusterIP`` of a headless service: its name leads to the pods themselves."""


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A service, or with `hostname` one pod behind it."""

    namespace: str
    service: str
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class PodPort:
    """Where a connection ends."""

    namespace: str
    pod: str
    port: int


def is_address(host: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        return bool(ip_address(host.strip("[]")))
    except ValueError:
        return False


def read_name(host: str, namespaces: Sequence[str]) -> tuple[ServiceName, ...]:
    """What a name may mean to the pods of `namespaces`, in the order in which they would try it.

    ``service``, ``pod.service`` and both with ``.namespace``, ``.namespace.svc`` or the whole domain behind
    it; nothing for a name that has another form.
    """
    labels = host.lower().removesuffix(".").split(".")
    if not all(labels):
        return ()
    if _SVC in labels[2:4]:
        labels = labels[: labels.index(_SVC, 2)]
        return (ServiceName(labels[-1], labels[-2], *labels[:-2]),)
    match labels:
        case [service]:
            return tuple(ServiceName(namespace, service) for namespace in namespaces)
        case [first, second]:
            pods = (ServiceName(namespace, second, first) for namespace in namespaces)
            return (*pods, ServiceName(second, first))
        case [hostname, service, namespace]:
            return (ServiceName(namespace, service, hostname),)
        case _:
            return ()


def find_pods(name: ServiceName, port: int, service: Object, slices: Iterable[Object]) -> Iterator[PodPort]:
    """The pods that a connection to `port` of `name` can end at, by the service and its endpoint slices.

    Of a service those that are ready; a pod that is named itself is there in any state.
    """
    for one in slices:
        target = port if is_direct(name, service) else _find_target(port, service, one)
        for endpoint in list_at(one, "endpoints"):
            pod = text_at(endpoint, "targetRef", "name")
            if target and text_at(endpoint, "targetRef", "kind") == "Pod" and _is_meant(name, endpoint):
                yield PodPort(name.namespace, pod, target)


def is_direct(name: ServiceName, service: Object) -> bool:
    """Whether the name leads to pods, with their own ports, and not to the service's address."""
    return bool(name.hostname) or text_at(service, "spec", "clusterIP") == _NO_ADDRESS


def list_ports(service: Object) -> tuple[int, ...]:
    """The ports of a service."""
    return tuple(number_at(one, "port") for one in list_at(service, "spec", "ports"))


def _find_target(port: int, service: Object, endpoint_slice: Object) -> int:
    """The pods' port behind a port of the service; 0 if the slice has none."""
    rows = list_at(service, "spec", "ports")
    names = {text_at(one, "name") for one in rows if number_at(one, "port") == port}
    targets = (one for one in list_at(endpoint_slice, "ports") if text_at(one, "name") in names)
    return next((number_at(one, "port") for one in targets), 0)


def _is_meant(name: ServiceName, endpoint: object) -> bool:
    if name.hostname:
        # A pod without a hostname of its own has no name in DNS; whoever writes one means the pod.
        return name.hostname in (text_at(endpoint, "hostname"), text_at(endpoint, "targetRef", "name"))
    return dig(endpoint, "conditions", "ready") is not False
