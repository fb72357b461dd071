"""The lists that are asked for, page by page, each within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from diag.model.cluster import Unread
from diag.sources.kube import reasons
from diag.sources.kube.client import Api
from diag.sources.kube.fields import list_at, text_at

PAGE = 500
_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of objects.

    Attributes:
        what: in the plural, for a person.
        group: path of the API group.
        resource: as paths and roles name it.
    """

    what: str
    group: str
    resource: str

    def path(self, namespace: str) -> str:
        """Where it is listed; empty for all namespaces."""
        where = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
        return f"/{self.group}/{where}{self.resource}"


DEPLOYMENTS = Listing("deployments", "apis/apps/v1", "deployments")
REPLICA_SETS = Listing("replica sets", "apis/apps/v1", "replicasets")
STATEFUL_SETS = Listing("stateful sets", "apis/apps/v1", "statefulsets")
CONTROLLER_REVISIONS = Listing("controller revisions", "apis/apps/v1", "controllerrevisions")
PODS = Listing("pods", "api/v1", "pods")
SERVICES = Listing("services", "api/v1", "services")
ENDPOINT_SLICES = Listing("endpoint slices", "apis/discovery.k8s.io/v1", "endpointslices")
AUTOSCALERS = Listing("autoscalers", "apis/autoscaling/v2", "horizontalpodautoscalers")
EVENTS = Listing("events", "api/v1", "events")
ALL = (
    DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, CONTROLLER_REVISIONS, PODS, SERVICES, ENDPOINT_SLICES,
    AUTOSCALERS, EVENTS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """What one list gave, as the API writes it: None where it gave nothing, and why it is not all."""

    listing: Listing
    items: tuple[Any, ...] | None
    unread: Unread | None = None


def list_all(api: Api, listing: Listing, namespace: str) -> Listed:
    """Every object of a kind; what is refused is an answer. Raises `SourceError` where nothing can be had."""
    items: list[Any] = []
    query: dict[str, str | int] = {"limit": PAGE}
    for _ in range(_MOST_PAGES):
        try:
            page = api.get(listing.path(namespace), query)
        except reasons.RefusedError as refused:
            reason, remedy = reasons.explain_refusal(
                refused, listing.what, f"list {listing.resource}", namespace
            )
            return Listed(listing, tuple(items) or None, Unread(listing.what, reason, remedy))
        items += list_at(page, "items")
        token = text_at(page, "metadata", "continue")
        if not token:
            return Listed(listing, tuple(items))
        query["continue"] = token
    told = f"{listing.what}: more than {PAGE * _MOST_PAGES:,}; the rest was not read"
    return Listed(listing, tuple(items), Unread(listing.what, told, "name the namespace (--namespace)"))
