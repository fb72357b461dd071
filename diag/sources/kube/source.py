"""One reading of a cluster: every list side by side, and what each of them gave."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from diag.errors import SourceError
from diag.model.cluster import PLATFORM, THE_REST, ClusterFacts, Unread
from diag.model.settings import KubernetesSettings
from diag.sources.aside import run_aside
from diag.sources.kube import listing, reasons
from diag.sources.kube.client import SIDE_BY_SIDE, Api, connect
from diag.sources.kube.events import to_events
from diag.sources.kube.fields import text_at
from diag.sources.kube.network import to_autoscalers, to_services
from diag.sources.kube.pods import to_pods
from diag.sources.kube.workloads import to_deployments, to_stateful_sets

_TIMES_ONE = 4
"""All answers together may take so many times as long as one."""


async def read_cluster(
    settings: KubernetesSettings, context: str, namespaces: Sequence[str], now_ns: int
) -> ClusterFacts:
    """Everything that is known of the cluster's workloads; raises `SourceError` where nothing is.

    Without `namespaces` the context's is read, and without that one all.
    """
    api = await _connect(settings, context)
    try:
        asked = tuple(namespaces) or tuple(filter(None, (api.namespace,)))
        return await _read(api, settings, asked, now_ns)
    finally:
        api.close()


async def _connect(settings: KubernetesSettings, context: str) -> Api:
    most_s = settings.timeout_s * _TIMES_ONE
    try:
        return await asyncio.wait_for(run_aside(partial(connect, settings, context)), most_s)
    except TimeoutError:
        raise SourceError(
            f"Kubernetes: the login that the kubeconfig names did not end within {most_s:g} s",
            hint="run its command by hand; it may wait for an answer",
        ) from None


async def _read(api: Api, settings: KubernetesSettings, asked: tuple[str, ...], now_ns: int) -> ClusterFacts:
    calls = [partial(listing.list_all, api, one, where) for where in asked or ("",) for one in listing.ALL]
    version = asyncio.ensure_future(run_aside(partial(_ask_version, api)))
    few = asyncio.Semaphore(SIDE_BY_SIDE)
    tasks = [asyncio.ensure_future(_take_turn(few, call)) for call in calls]
    most_s = settings.timeout_s * _TIMES_ONE
    await _wait([*tasks, version], most_s)
    listed, unread = _sort_out(tasks, most_s)
    facts = ClusterFacts(
        place=api.place,
        read_ns=now_ns,
        namespaces=asked,
        version="" if version.cancelled() else version.result(),
        unread=unread,
        requests=api.requests,
    )
    return _fill(facts, _join(listed, everywhere=not asked))


async def _take_turn(few: asyncio.Semaphore, call: Callable[[], listing.Listed]) -> listing.Listed:
    async with few:
        return await run_aside(call)


def _sort_out(
    tasks: Sequence[asyncio.Future[listing.Listed]], most_s: float
) -> tuple[list[listing.Listed], tuple[Unread, ...]]:
    """What came, and why that is not all; raises `SourceError` where nothing did."""
    ended = [task for task in tasks if not task.cancelled()]
    listed = [task.result() for task in ended if task.exception() is None]
    failures = [error for task in ended if (error := task.exception()) is not None]
    for error in failures:
        if not isinstance(error, SourceError):
            raise error  # a fault of ours
    unread = [one.unread for one in listed if one.unread is not None]
    unread += [Unread(THE_REST, str(error), getattr(error, "hint", "")) for error in failures[:1]]
    if len(ended) < len(tasks):
        told = f"{len(tasks) - len(ended)} of {len(tasks)} lists did not come within {most_s:g} s"
        unread.append(Unread(THE_REST, told, "name a namespace, or raise kubernetes.timeout_s"))
    if failures and not listed:
        raise failures[0]
    if all(one.items is None for one in listed):
        first = unread[0]
        raise SourceError(f"Kubernetes gives nothing, first of all: {first.reason}", hint=first.remedy)
    return listed, tuple(unread)


async def _wait(tasks: Sequence[asyncio.Future[Any]], most_s: float) -> None:
    """Until all have ended, or their time is up; what is late, or called off, is cancelled."""
    try:
        await asyncio.wait(tasks, timeout=most_s)
    finally:
        late = [task for task in tasks if task.cancel()]
        await asyncio.gather(*late, return_exceptions=True)


def _ask_version(api: Api) -> str:
    try:
        return text_at(api.get("/version"), "gitVersion")
    except (reasons.RefusedError, SourceError):
        return ""  # whoever may not know it may still list


def _fill(facts: ClusterFacts, got: Mapping[listing.Listing, list[Any]]) -> ClusterFacts:
    """The facts with the objects that came."""

    def items(kind: listing.Listing) -> list[Any]:
        return got.get(kind, [])

    return replace(
        facts,
        workloads=(
            *to_deployments(items(listing.DEPLOYMENTS), items(listing.REPLICA_SETS)),
            *to_stateful_sets(items(listing.STATEFUL_SETS), items(listing.CONTROLLER_REVISIONS)),
        ),
        pods=tuple(to_pods(items(listing.PODS))),
        services=tuple(to_services(items(listing.SERVICES), got.get(listing.ENDPOINT_SLICES))),
        autoscalers=tuple(to_autoscalers(items(listing.AUTOSCALERS))),
        events=tuple(to_events(items(listing.EVENTS))),
    )


def _join(listed: Iterable[listing.Listed], *, everywhere: bool) -> dict[listing.Listing, list[Any]]:
    """The objects of each kind that could be listed anywhere."""
    got = defaultdict[listing.Listing, list[Any]](list)
    for one in listed:
        if one.items is not None:
            kept = (item for item in one.items if not everywhere or not _is_platform(item))
            got[one.listing] += kept
    return dict(got)


def _is_platform(item: object) -> bool:
    return text_at(item, "metadata", "namespace").startswith(PLATFORM)
