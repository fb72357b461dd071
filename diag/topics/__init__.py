"""Wanted topics against the broker's: the plan. Pure."""

from diag.topics.plan import build_kept_plan, build_plan, find_misfits, find_restarts, judge_plan
from diag.topics.pod_groups import join_pod_groups

__all__ = [
    "build_kept_plan",
    "build_plan",
    "find_misfits",
    "find_restarts",
    "join_pod_groups",
    "judge_plan",
]
