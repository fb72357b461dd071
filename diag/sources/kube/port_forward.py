"""Connections to pods through the API server, for names and addresses that are good in the cluster alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from diag.errors import SourceError
from diag.model.settings import KubernetesSettings
from diag.sources.aside import run_aside
from diag.sources.kube import reasons
from diag.sources.kube.addresses import (
    PodPort,
    ServiceName,
    find_pods,
    is_address,
    is_direct,
    list_ports,
    read_name,
)
from diag.sources.kube.client import Api, connect
from diag.sources.kube.fields import Object, list_at, text_at
from diag.sources.kube.listing import ENDPOINT_SLICES, PODS, SERVICES, Listing

_T = TypeVar("_T")
_SERVICE_LABEL = "kubernetes.io/service-name"
_NAMES = "a service, pod.service, pod.service.namespace.svc.cluster.local, or a pod's address"
_DEFAULT_NAMESPACE = "default"


class PortForward:
    """Opens ports of pods by their names in the cluster. Implements `diag.model.tunnel.Tunnel`.

    Args:
        settings: which cluster, and how long one answer may take.
        context: of the kubeconfig; empty for the current one.
        namespaces: in which short names are looked for; none: the context's.
    """

    def __init__(self, settings: KubernetesSettings, context: str, namespaces: Sequence[str]) -> None:
        self._settings = settings
        self._context = context
        self._namespaces = tuple(namespaces)
        self._api: Api | None = None
        self._found: dict[tuple[str, int], PodPort] = {}
        self._one = asyncio.Lock()

    @property
    def name(self) -> str:
        """Which cluster's API it leads through."""
        place = self._api.place if self._api else self._context
        return f"the Kubernetes API ({place or 'current context'})"

    async def open(self, host: str, port: int) -> int:
        """The descriptor of a connection to what `host` means in the cluster; raises `SourceError`."""
        async with self._one:  # what one connection learns the next need not ask for
            if self._api is None:
                self._api = await self._aside(partial(connect, self._settings, self._context))
            api = self._api
            if (host, port) not in self._found:
                find = partial(_find, api, host, port, self._namespaces)
                self._found[host, port] = await self._aside(find)
            target = self._found[host, port]
        try:
            opened = await self._aside(partial(_forward, api, target))
        except SourceError:
            self._found.pop((host, port), None)  # the pod may be another one by now
            raise
        return opened.detach()

    async def _aside(self, call: Callable[[], _T]) -> _T:
        try:
            return await asyncio.wait_for(run_aside(call), self._settings.timeout_s)
        except TimeoutError:
            raise SourceError(
                f"{self.name} opened no port within {self._settings.timeout_s:g} s",
                hint="check the login that the kubeconfig names, or raise kubernetes.timeout_s",
            ) from None


def _forward(api: Api, target: PodPort) -> socket.socket:
    namespace, pod = quote(target.namespace, safe=""), quote(target.pod, safe="")
    try:
        return api.forward(f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward", target.port)
    except reasons.RefusedError as refused:
        raise reasons.explain_forwarding(refused, target.namespace, target.pod) from refused


def _find(api: Api, host: str, port: int, namespaces: Sequence[str]) -> PodPort:
    """The pod and port that an address means; raises `SourceError` where it means none."""
    asked = tuple(namespaces) or (api.namespace or _DEFAULT_NAMESPACE,)
    if is_address(host):
        return _find_address(api, host.strip("[]"), port, asked)
    problems = []
    for name in read_name(host, asked):
        try:
            return _find_named(api, name, port)
        except SourceError as error:
            problems.append(error)
    # Of several meanings the one that led furthest tells most.
    worst = next((one for one in problems if not isinstance(one, _UnknownError)), None)
    raise worst or _UnknownError(
        f"no pod or service of {', '.join(asked)} is called {host}", hint=f"it can be {_NAMES}"
    )


class _UnknownError(SourceError):
    """There is nothing of this name."""


def _find_named(api: Api, name: ServiceName, port: int) -> PodPort:
    service = _ask(api, SERVICES, name.namespace, one=name.service)
    of_it = {"labelSelector": f"{_SERVICE_LABEL}={name.service}"}
    slices = list_at(_ask(api, ENDPOINT_SLICES, name.namespace, of_it), "items")
    found = next(find_pods(name, port, service, slices), None)
    if found is None:
        raise _explain_none(name, port, service)
    return found


def _find_address(api: Api, address: str, port: int, namespaces: Sequence[str]) -> PodPort:
    query = {"fieldSelector": f"status.podIP={address}"}
    for namespace in namespaces:
        found = list_at(_ask(api, PODS, namespace, query), "items")
        # An address that a pod has left is soon another's.
        running = (one for one in found if text_at(one, "status", "phase") == "Running")
        for pod in running:
            return PodPort(namespace, text_at(pod, "metadata", "name"), port)
    raise SourceError(
        f"no running pod of {', '.join(namespaces)} has the address {address}",
        hint="name the service, or the namespace (--namespace)",
    )


def _ask(
    api: Api, kind: Listing, namespace: str, query: Mapping[str, str] | None = None, *, one: str = ""
) -> Object:
    """The list of `kind`, or `one` of them; raises `SourceError`."""
    path = f"{kind.path(namespace)}/{quote(one, safe='')}" if one else kind.path(namespace)
    try:
        return api.get(path, query)
    except reasons.RefusedError as refused:
        if refused.status == 404:
            raise _UnknownError(f"there is no {path}") from refused
        right = f"{'get' if one else 'list'} {kind.resource}"
        reason, remedy = reasons.explain_refusal(refused, kind.what, right, namespace)
        raise SourceError(reason, hint=remedy) from refused


def _explain_none(name: ServiceName, port: int, service: Object) -> SourceError:
    """Why nothing is behind a service that is there."""
    where, ports = f"service {name.namespace}/{name.service}", list_ports(service)
    if name.hostname:
        return SourceError(
            f"{where} has no pod {name.hostname}", hint=f"kubectl get pods -n {name.namespace}"
        )
    if not is_direct(name, service) and port not in ports:
        return SourceError(
            f"{where} has no port {port}", hint=f"it has {', '.join(map(str, ports)) or 'none'}"
        )
    return SourceError(
        f"{where} has no pod that is ready", hint=f"kubectl get endpointslices -n {name.namespace}"
    )
