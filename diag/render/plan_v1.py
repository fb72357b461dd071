"""``--explain-plan`` for machines, version 1; ``plan_v1.schema.json`` describes it."""

from __future__ import annotations

from diag.model.reading_plan import PlannedQuery, ReadingPlan
from diag.render.json_v1 import SCHEMA_VERSION, Json, dump


def render_plan_json(plan: ReadingPlan) -> str:
    """One object with a newline at its end; the queries in the order in which they are asked."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "diag", "version": plan.version},
            "where": plan.where,
            "quota": plan.quota,
            "requests": {
                "least": plan.least_requests,
                "most": plan.most_requests,
                "least_wait_s": plan.wait_s(plan.least_requests),
                "most_wait_s": plan.wait_s(plan.most_requests),
            },
            "queries": [_query(query) for query in plan.queries],
            "notes": list(plan.notes),
        }
    )


def _query(query: PlannedQuery) -> Json:
    since, until = query.window.to_rfc3339() if query.window else (None, None)
    return {
        "what": query.what,
        "why": query.why,
        "since": since,
        "until": until,
        "certain": query.certain,
        "filters": list(query.filters),
        "most_requests": query.most_requests,
    }
