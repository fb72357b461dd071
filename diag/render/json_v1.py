"""The machine's output, version 1: a contract of its own, apart from the model's shapes.

Keys are sorted, text is ASCII, numbers are rounded once here: the same diagnosis gives the same
bytes. Fields are only ever added within a version; ``session_v1.schema.json`` describes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from diag.model.canonical_events import LIMITS
from diag.model.clocks import CausalPair, Clocks, PodClock
from diag.model.code import CodeFacts
from diag.model.coverage import SourceCoverage
from diag.model.diagnosis import Diagnosis, Nearest, NothingFound, Query
from diag.model.events import Event
from diag.model.findings import Cause, Evidence, Finding
from diag.model.instants import NS_PER_MS, format_instant
from diag.model.session import Alias, Attribution, Session
from diag.model.topics import TopicPlan, TopicReport
from diag.render.cluster_rows_v1 import to_cluster_rows
from diag.render.code_v1 import code_to_json
from diag.render.flow_v1 import to_flow
from diag.render.manifests_v1 import manifests_to_json
from diag.render.turns_v1 import turn_to_json

SCHEMA_VERSION = "1"

Json = dict[str, Any]


def render_json(diagnosis: Diagnosis) -> str:
    """One object with a newline at its end."""
    session = diagnosis.session
    return dump(
        {
            **_head(diagnosis.query, diagnosis.version),
            "verdict": _verdict(diagnosis),
            "session": _session(session),
            "timeline": [_line(one, session.clocks, diagnosis.code) for one in session.timeline],
            "clocks": _clocks(session.clocks),
            "turns": [turn_to_json(turn) for turn in session.turns],
            "kafka": [to_flow(flow) for flow in session.flows],
            "cluster": to_cluster_rows(diagnosis.cluster),
            "code": code_to_json(diagnosis.code) if diagnosis.code else None,
            "manifests": manifests_to_json(diagnosis.manifests, diagnosis.drift),
            "findings": [_finding(finding) for finding in diagnosis.findings],
            "outcomes": [
                {"slug": one.slug, "outcome": one.result.value, "reason": one.reason}
                for one in diagnosis.outcomes
            ],
            "coverage": [to_coverage(source) for source in diagnosis.coverage.sources],
        }
    )


def render_nothing_json(nothing: NothingFound) -> str:
    """The same head; what was seen instead of the session."""
    return dump(
        {
            **_head(nothing.query, nothing.version),
            "verdict": None,
            "session": None,
            "nearest": [_nearest(one) for one in nothing.nearest],
            "occurrences": [_nearest(one) for one in nothing.occurrences],
            "occurrences_more": nothing.occurs - len(nothing.occurrences),
            "coverage": [to_coverage(source) for source in nothing.coverage.sources],
        }
    )


def render_topics_json(report: TopicReport) -> str:
    """Wanted topics against the broker's, what was created, who must restart."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "cluster_id": report.plan.cluster_id,
            "topics": [_topic_row(report.plan, place) for place in range(len(report.plan.rows))],
            "created": [{"topic": one.topic.name, "error": one.error} for one in report.created],
            "restart": [
                {"service": one.reader.service, "group": one.reader.group, "members": list(one.members)}
                for one in report.restart
            ],
            "dry_run": report.dry_run,
        }
    )


def dump(value: Json) -> str:
    """Sorted, indented, ASCII."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def _head(query: Query, version: str) -> Json:
    window = query.window.to_rfc3339() if query.window else (None, None)
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "diag", "version": version},
        "query": {
            "id": query.asked.text,
            "kind": query.asked.kind.value,
            "since": window[0],
            "until": window[1],
            "files": list(query.files),
            "collected_at": instant(query.collected_ns),
        },
    }


def instant(ns: int | None) -> str | None:
    """RFC 3339 with nanoseconds, UTC."""
    return format_instant(ns) if ns else None


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _evidence(evidence: Iterable[Evidence]) -> list[Json]:
    return [to_evidence(one) for one in evidence]


def to_evidence(evidence: Evidence) -> Json:
    """One thing to look up."""
    return {
        "source": evidence.source,
        "ref": evidence.ref,
        "time": instant(evidence.time_ns),
        "text": evidence.text,
    }


def _verdict(diagnosis: Diagnosis) -> Json:
    verdict = diagnosis.verdict
    return {
        "status": verdict.status.value,
        "summary": verdict.summary,
        "cause": _cause(verdict.cause) if verdict.cause else None,
        "causes": [_cause(cause) for cause in verdict.others],
        "missing": list(verdict.missing),
    }


def _cause(cause: Cause) -> Json:
    return {
        "slug": cause.slug,
        "component": cause.component,
        "confidence": cause.confidence.value,
        "summary": cause.summary,
        "supporting": _evidence(cause.supporting),
        "contradicting": _evidence(cause.contradicting),
        "effects": list(cause.effects),
        "reach": None,
    }


def _session(session: Session) -> Json:
    return {
        "id": session.id,
        "aliases": [_alias(alias) for alias in session.aliases],
        "candidates": [_alias(alias) for alias in session.candidates],
        "minted_at": instant(session.minted_ns),
        "services": list(session.services),
        "first": instant(session.first_ns),
        "last": instant(session.last_ns),
        "open": session.open,
    }


def _alias(alias: Alias) -> Json:
    return {
        "id": alias.identifier.text,
        "kind": alias.identifier.kind.value,
        "rule": alias.rule,
        "score": alias.score,
        "evidence": _evidence([alias.evidence]),
    }


def _line(one: Event | Attribution, clocks: Clocks, code: CodeFacts | None) -> Json:
    event = one.event if isinstance(one, Attribution) else one
    written = code.find(event.entry) if code else None
    attributed = {"rule": one.rule, "ambiguous": one.ambiguous} if isinstance(one, Attribution) else False
    return {
        "time": instant(event.time_ns),
        "adjusted_time": instant(clocks.adjust(event.entry)),
        "service": event.entry.service,
        "pod": event.entry.pod,
        "event": event.name,
        "does_not_prove": LIMITS.get(event.name),
        "text": event.text,
        "ref": event.entry.ref,
        "code": [place.ref for place in written.places] if written else [],
        "attributed": attributed,
    }


def _clocks(clocks: Clocks) -> Json:
    return {
        "reference": clocks.reference,
        "at": instant(clocks.at_ns),
        "pods": [_pod_clock(clock) for clock in clocks.pods],
        "contradictions": [
            {"pods": list(one.pods), "pairs": _pairs(one.pairs)} for one in clocks.contradictions
        ],
    }


def _pod_clock(clock: PodClock) -> Json:
    return {
        "pod": clock.pod,
        "least_ms": None if clock.least_ns is None else _ms(clock.least_ns / NS_PER_MS),
        "most_ms": None if clock.most_ns is None else _ms(clock.most_ns / NS_PER_MS),
        "adjusted_by_ms": _ms(clock.shift_ns / NS_PER_MS),
        "at_least": _pairs(clock.at_least),
        "at_most": _pairs(clock.at_most),
    }


def _pairs(pairs: Iterable[CausalPair]) -> list[Json]:
    return [{"rule": one.rule, "evidence": _evidence((one.before, one.after))} for one in pairs]


def _finding(finding: Finding) -> Json:
    return {
        "slug": finding.slug,
        "scope": finding.scope.value,
        "severity": finding.severity.label,
        "confidence": finding.confidence.value,
        "component": finding.component,
        "title": finding.title,
        "summary": finding.summary,
        "first": instant(finding.first_ns),
        "last": instant(finding.last_ns),
        "sessions": list(finding.sessions),
        "evidence": _evidence(finding.evidence),
        "contradicting": _evidence(finding.contradicting),
        "remedy": finding.remedy,
    }


def to_coverage(source: SourceCoverage) -> Json:
    """One source's account."""
    return {
        "source": source.source,
        "state": source.state.value,
        "asked": source.asked,
        "got": source.got,
        "entries": source.entries,
        "objects": source.objects,
        "notes": list(source.notes),
    }


def _nearest(one: Nearest) -> Json:
    return {
        "id": one.id,
        "first": instant(one.first_ns),
        "service": one.service,
        "note": one.note,
        "ref": one.ref,
    }


def _topic_row(plan: TopicPlan, place: int) -> Json:
    row = plan.rows[place]
    return {
        "topic": row.name,
        "state": row.state.value,
        "path": row.wanted.path.value if row.wanted else None,
        "partitions": len(row.actual.offsets) if row.actual else 0,
        "records": row.actual.stored if row.actual else 0,
        "lag": dict(row.lags),
        "starved": [{"group": one.reader.group, "members": list(one.members)} for one in row.starved],
        "notes": list(row.notes),
    }
