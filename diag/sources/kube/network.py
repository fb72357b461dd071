"""Services with what stands behind them, and autoscalers, from the API's JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from diag.model.cluster import Autoscaler, Endpoints, Service
from diag.model.containers import Port
from diag.sources.kube.fields import Object, dig, instant_at, list_at, number_at, text_at, texts_at

_SERVICE_LABEL = "kubernetes.io/service-name"


def to_services(services: Iterable[Object], slices: Iterable[Object] | None) -> Iterator[Service]:
    """Services, with the sum of their endpoint slices; `slices` is None where those could not be read."""
    behind = None if slices is None else _group(slices)
    for one in services:
        namespace, name = text_at(one, "metadata", "namespace"), text_at(one, "metadata", "name")
        yield Service(
            namespace=namespace,
            name=name,
            kind=text_at(one, "spec", "type") or "ClusterIP",
            selector=texts_at(one, "spec", "selector"),
            ports=tuple(map(_to_port, list_at(one, "spec", "ports"))),
            affinity=text_at(one, "spec", "sessionAffinity") or "None",
            created_ns=instant_at(one, "metadata", "creationTimestamp"),
            ingress=len(list_at(one, "status", "loadBalancer", "ingress")),
            endpoints=None if behind is None else _count(behind[namespace, name]),
        )


def _to_port(port: object) -> Port:
    return Port(
        number=number_at(port, "port"),
        name=text_at(port, "name"),
        protocol=text_at(port, "protocol") or "TCP",
        target=text_at(port, "targetPort"),
    )


def _group(slices: Iterable[Object]) -> defaultdict[tuple[str, str], list[object]]:
    """Namespace and service -> its endpoints."""
    behind = defaultdict[tuple[str, str], list[object]](list)
    for one in slices:
        service = texts_at(one, "metadata", "labels").get(_SERVICE_LABEL, "")
        behind[text_at(one, "metadata", "namespace"), service] += list_at(one, "endpoints")
    return behind


def _count(endpoints: Sequence[object]) -> Endpoints:
    """Of what is not told: yes for ready and serving, no for terminating (EndpointConditions in the API)."""
    told = [dig(one, "conditions") for one in endpoints]
    ready = sum(dig(one, "ready") is not False for one in told)
    return Endpoints(
        ready=ready,
        not_ready=len(told) - ready,
        serving=sum(_serves(one) for one in told),
        terminating=sum(dig(one, "terminating") is True for one in told),
    )


def _serves(conditions: object) -> bool:
    serving = dig(conditions, "serving")
    return dig(conditions, "ready") is not False if serving is None else serving is True


_HINDER = (("AbleToScale", "False"), ("ScalingActive", "False"), ("ScalingLimited", "True"))
"""Conditions of an autoscaler: it can not set a number, or tell one, or have the one it told."""


def to_autoscalers(autoscalers: Iterable[Object]) -> Iterator[Autoscaler]:
    """Horizontal pod autoscalers."""
    for one in autoscalers:
        kind, name = (text_at(one, "spec", "scaleTargetRef", key) for key in ("kind", "name"))
        yield Autoscaler(
            namespace=text_at(one, "metadata", "namespace"),
            name=text_at(one, "metadata", "name"),
            target=f"{kind.lower()}/{name}",
            least=number_at(one, "spec", "minReplicas", default=1),
            most=number_at(one, "spec", "maxReplicas"),
            current=number_at(one, "status", "currentReplicas"),
            desired=number_at(one, "status", "desiredReplicas"),
            limited=_find_limit(one),
            created_ns=instant_at(one, "metadata", "creationTimestamp"),
        )


def _find_limit(one: Object) -> str:
    """The reason of the first condition that hinders it: what keeps it from counting goes first."""
    told = {text_at(row, "type"): row for row in list_at(one, "status", "conditions")}
    hinders = (told.get(kind) for kind, status in _HINDER if text_at(told.get(kind), "status") == status)
    return next((text_at(row, "reason") for row in hinders), "")
