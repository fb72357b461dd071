"""Wanted topics against the broker's: the plan. Pure."""

from diag.topics.plan import build_plan, find_restarts, judge_plan

__all__ = ["build_plan", "find_restarts", "judge_plan"]
