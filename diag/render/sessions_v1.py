"""``diag sessions`` and ``diag find`` for machines, version 1; ``sessions_v1.schema.json`` describes it."""

from __future__ import annotations

from collections import Counter

from diag.model.overview import Match, Overview, SessionLine
from diag.render.json_v1 import SCHEMA_VERSION, Json, dump, instant, to_coverage, to_evidence


def render_overview_json(overview: Overview) -> str:
    """One object with a newline at its end; the sessions in order of their first line."""
    since, until = overview.window.to_rfc3339() if overview.window else (None, None)
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "diag", "version": overview.version},
            "query": {
                "since": since,
                "until": until,
                "files": list(overview.files),
                "only": overview.only,
            },
            "seen": overview.seen,
            "notes": list(overview.notes),
            "sessions": [_session(line) for line in overview.sessions],
            "coverage": [to_coverage(source) for source in overview.coverage.sources],
        }
    )


def _session(line: SessionLine) -> Json:
    turns = Counter(turn.value for turn in line.turns)
    return {
        "id": line.id,
        "aliases": list(line.aliases),
        "minted_at": instant(line.minted_ns),
        "first": instant(line.first_ns),
        "last": instant(line.last_ns),
        "open": line.open,
        "services": list(line.services),
        "entries": line.entries,
        "turns": {"total": len(line.turns), "outcomes": dict(sorted(turns.items()))},
        "verdict": {
            "status": line.status.value,
            "summary": line.summary,
            "cause": {"slug": line.cause, "component": line.component} if line.cause else None,
        },
        "findings": [
            {
                "slug": finding.slug,
                "scope": finding.scope.value,
                "severity": finding.severity.label,
                "confidence": finding.confidence.value,
            }
            for finding in line.findings
        ],
        "found_by": [_match(match) for match in line.found_by],
    }


def _match(match: Match) -> Json:
    return {
        "kind": match.kind.value,
        "where": match.where,
        "service": match.service,
        **to_evidence(match.evidence),
    }
