"""``diag topics``: wanted topics against the broker's, and the creation of what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from diag.app.tunnel import find_tunnel
from diag.config import load_wanted_topics
from diag.errors import UsageError
from diag.model.progress import Progress, ignore
from diag.model.settings import Settings
from diag.model.topics import SavedPlan, TopicPlan, TopicReport
from diag.topics import build_kept_plan, build_plan, find_misfits, find_restarts, join_pod_groups


async def plan_topics(settings: Settings, now_ns: int, progress: Progress = ignore) -> TopicPlan:
    """The plan as the broker stands now; raises `DiagError`."""
    from diag.sources import kafka

    _check_broker(settings)
    wanted = load_wanted_topics(settings.topics.file)
    progress("reading Kafka")
    tunnel = await asyncio.to_thread(find_tunnel, settings)
    with kafka.through(tunnel):
        facts = await kafka.read_broker(
            settings.kafka, now_ns, {name for one in wanted for name in one.settings}
        )
        return build_plan(wanted, join_pod_groups(facts))


async def plan_again(
    settings: Settings, saved: SavedPlan, now_ns: int, progress: Progress = ignore
) -> TopicPlan:
    """A kept plan as the broker stands now; raises `UsageError` where it does not fit any more."""
    from diag.sources import kafka

    _check_broker(settings)
    progress("reading Kafka")
    tunnel = await asyncio.to_thread(find_tunnel, settings)
    with kafka.through(tunnel):
        facts = join_pod_groups(await kafka.read_broker(settings.kafka, now_ns))
    misfits = find_misfits(saved, facts)
    if misfits:
        raise UsageError(
            f"the plan in {saved.file} does not fit any more: {'; '.join(misfits)}; nothing was changed",
            hint="make it anew with --save-plan",
        )
    return build_kept_plan(saved, facts)


def keep_plan(plan: TopicPlan) -> SavedPlan:
    """What of a plan is kept; raises `UsageError` where it could be applied to any cluster."""
    if not plan.cluster_id:
        raise UsageError(
            "the broker does not name its cluster, so no plan can be bound to it", hint="use --create-missing"
        )
    return SavedPlan(plan.cluster_id, plan.to_create)


def _check_broker(settings: Settings) -> None:
    if not settings.kafka.bootstrap:
        raise UsageError(
            "no broker is named", hint="add --kafka HOST:PORT, or [kafka] bootstrap in diag.toml"
        )


async def create_missing(settings: Settings, plan: TopicPlan, progress: Progress = ignore) -> TopicReport:
    """Create what `plan` misses and say whose consumers must join again."""
    report = TopicReport(plan, settings.kafka.bootstrap, namespace=settings.cluster.first_namespace)
    if not plan.to_create:
        return replace(report, restart=find_restarts(plan, ()))
    from diag.sources import kafka

    progress(f"creating {', '.join(topic.name for topic in plan.to_create)}")
    tunnel = await asyncio.to_thread(find_tunnel, settings)
    with kafka.through(tunnel):
        created = await kafka.create_topics(settings.kafka, plan.to_create, plan.cluster_id)
    done = [one.topic.name for one in created if not one.error]
    return replace(report, created=created, restart=find_restarts(plan, done))
