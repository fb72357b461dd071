"""The file of ``diag topics --save-plan``: topics in the keys of their ``[[topic]]`` tables."""

from __future__ import annotations

from typing import Any

from diag.model.topics import PLAN_VERSION, SavedPlan, WantedTopic
from diag.render.json_v1 import dump


def render_saved_plan(plan: SavedPlan) -> str:
    """What is to be created, and on which cluster; sorted, so that two of them can be compared."""
    return dump(
        {
            "plan_version": PLAN_VERSION,
            "cluster_id": plan.cluster_id,
            "create": [_topic(one) for one in plan.create],
        }
    )


def _topic(topic: WantedTopic) -> dict[str, Any]:
    """What is left to the broker is left away."""
    return {
        "name": topic.name,
        "path": topic.path.value,
        "partitions": topic.partitions,
        **({} if topic.replication is None else {"replication": topic.replication}),
        "settings": dict(topic.settings),
        "producers": list(topic.producers),
        "readers": [{"group": one.group, "service": one.service} for one in topic.readers],
    }
