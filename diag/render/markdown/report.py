"""Everything that the template needs, computed once, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from diag.model.coverage import Coverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Finding, Result, Scope, Severity
from diag.model.instants import format_instant
from diag.model.session import Alias
from diag.render.attribution import describe_attributed
from diag.render.code import describe_head
from diag.render.markdown import statements
from diag.render.markdown.clocks import build_clock_table
from diag.render.markdown.code import build_file_rows, explain_missing, state_code
from diag.render.markdown.deployment import build_configuration, deployment
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.markdown.issues import known_issues
from diag.render.markdown.limits import build_limits
from diag.render.markdown.manifests import build_manifest_tables, describe_read, state_drift
from diag.render.markdown.timeline import build_diagram, build_flow_rows, build_timeline
from diag.render.markdown.turns import build_turn_rows, has_doubt
from diag.render.neutral import shorten, to_code, to_prose

_TEMPLATE = "session.md.j2"
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the template prints it."""

    slug: str
    title: str
    severity: str
    confidence: str
    summary: str
    evidence: str
    against: str
    remedy: str
    effects: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do, because of which finding."""

    text: str
    slug: str
    evidence: str


def render_markdown(diagnosis: Diagnosis) -> str:
    """The report, byte for byte the same for the same diagnosis."""
    text = _environment().get_template(_TEMPLATE).render(**_build_view(diagnosis))
    return text.rstrip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    """The templates of the wheel, or those beside the package in a checkout.

    They escape nothing: what comes from outside was made code or prose before it gets here.
    """
    packaged = resources.files("diag").joinpath("_templates")
    folder = Path(str(packaged)) if packaged.is_dir() else Path(__file__).parents[3] / "reports" / "templates"
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  Markdown, see above
    )


def _build_view(diagnosis: Diagnosis) -> dict[str, Any]:
    """Section by section, so that evidence is numbered in the order in which it is read."""
    index = EvidenceIndex(diagnosis.query.logs)
    view = {
        **_view_summary(diagnosis, index),
        **_view_analysis(diagnosis, index),
        **_view_consequences(diagnosis, index),
        "searched": statements.searched(diagnosis),
        "version": diagnosis.version,
    }
    return {**view, "evidence": index.listed(), "again": _query_again(diagnosis, index)}


def _view_summary(diagnosis: Diagnosis, index: EvidenceIndex) -> dict[str, Any]:
    """Title and executive summary, closed by the coverage."""
    session, verdict = diagnosis.session, diagnosis.verdict
    return {
        "title": to_code(shorten(session.id, _LONGEST_NAME)),
        "asked": ""
        if session.asked.text == session.id
        else to_code(shorten(session.asked.text, _LONGEST_NAME)),
        "status": verdict.status.value,
        "confidence": verdict.cause.confidence.value if verdict.cause else "",
        "summary": to_prose(verdict.summary),
        "summary_evidence": _cite_verdict(diagnosis, index),
        "cause": _view_cause(diagnosis),
        "others": [f"`{cause.slug}` ({cause.confidence.value})" for cause in verdict.others],
        "span": _span(diagnosis),
        "missing": [to_prose(text) for text in verdict.missing],
        "aliases": [_view_alias(alias, index) for alias in session.aliases],
        "candidates": [_view_alias(alias, index) for alias in session.candidates],
        "coverage": list(_view_coverage(diagnosis.coverage)),
    }


def _view_analysis(diagnosis: Diagnosis, index: EvidenceIndex) -> dict[str, Any]:
    """Current status and analysis results."""
    session = diagnosis.session
    return {
        "status_ids": list(statements.session_ids(diagnosis, index)),
        "status_deployment": [*deployment(diagnosis, index), *state_drift(diagnosis, index)],
        "status_code": list(state_code(diagnosis, index)),
        "diagram": build_diagram(diagnosis),
        "timeline": build_timeline(session, index, diagnosis.code),
        "attributed": describe_attributed(session),
        "limits": build_limits(session.events, index),
        "clocks": build_clock_table(session.clocks, index),
        "turns": build_turn_rows(session, index),
        "turns_in_doubt": has_doubt(session),
        "flows": build_flow_rows(session, index),
        "key_findings": list(statements.key_findings(diagnosis, index)),
    }


def _view_consequences(diagnosis: Diagnosis, index: EvidenceIndex) -> dict[str, Any]:
    """Issues, configuration, what remains, what to do, what was run."""
    own, standing = diagnosis.of_scope(Scope.SESSION), diagnosis.of_scope(Scope.STANDING)
    urgent = [finding for finding in own if finding.severity >= Severity.ERROR]
    later = [finding for finding in (*own, *standing) if finding not in urgent]
    return {
        "findings": [_view_finding(finding, diagnosis, index) for finding in own],
        "known_issues": list(known_issues(diagnosis, index)),
        "configuration": build_configuration(diagnosis.cluster),
        "pods": [(to_code(s), ", ".join(map(to_code, pods)) or "-") for s, pods in diagnosis.coverage.pods],
        "manifests": build_manifest_tables(diagnosis, index),
        "standing": [_view_finding(finding, diagnosis, index) for finding in standing],
        "immediate": list(_recommend(urgent, index)),
        "optional": list(_recommend(later, index)),
        "outcomes": [
            (f"`{o.slug}`", _outcome_word(o.result), to_prose(o.reason)) for o in diagnosis.outcomes
        ],
        "clear": sum(outcome.result is Result.CLEAR for outcome in diagnosis.outcomes),
        "files": [to_code(name) for name in diagnosis.query.files],
        "code": to_prose(describe_head(diagnosis.code)) if diagnosis.code else "",
        "code_files": build_file_rows(diagnosis.code),
        "no_code": explain_missing(diagnosis),
        "manifests_read": describe_read(diagnosis),
    }


def _cite_verdict(diagnosis: Diagnosis, index: EvidenceIndex) -> str:
    cause = diagnosis.verdict.cause
    if cause is not None:
        return index.cite(cause.supporting)
    answers = [turn.deliveries[0].to_evidence() for turn in diagnosis.session.turns if turn.deliveries]
    symptoms = [e for f in diagnosis.of_scope(Scope.SESSION) for e in f.evidence]
    return index.cite(answers or symptoms) or statements.COVERAGE


def _view_cause(diagnosis: Diagnosis) -> str:
    cause = diagnosis.verdict.cause
    if cause is None:
        return ""
    effects = f"; it explains {', '.join(f'`{slug}`' for slug in cause.effects)}" if cause.effects else ""
    return f"`{cause.slug}` ({cause.confidence.value}), at the {to_prose(cause.component)}{effects}"


def _span(diagnosis: Diagnosis) -> str:
    session = diagnosis.session
    if session.first_ns is None or session.last_ns is None:
        return "no line of it has a time"
    end = "may still run" if session.open else f"last seen {format_instant(session.last_ns, 3)}"
    return f"first seen {format_instant(session.first_ns, 3)}, {end}"


def _view_alias(alias: Alias, index: EvidenceIndex) -> tuple[str, str, str, int, str]:
    name = to_code(shorten(alias.identifier.text, _LONGEST_NAME))
    return name, alias.identifier.kind.value, alias.rule, alias.score, index.cite([alias.evidence])


def _view_coverage(coverage: Coverage) -> Iterator[tuple[str, str, str, str, str]]:
    for source in coverage.sources:
        state = "not asked" if source.state is State.NOT_ASKED else source.state.value
        notes = "; ".join(map(to_prose, source.notes))
        yield source.source, state, to_prose(source.asked), to_prose(source.got), notes


def _view_finding(finding: Finding, diagnosis: Diagnosis, index: EvidenceIndex) -> FindingView:
    causes = (c for c in (diagnosis.verdict.cause, *diagnosis.verdict.others) if c and c.slug == finding.slug)
    effects = next((cause.effects for cause in causes), ())
    return FindingView(
        slug=finding.slug,
        title=to_prose(finding.title),
        severity=finding.severity.label,
        confidence=finding.confidence.value,
        summary=to_prose(finding.summary),
        evidence=index.cite(finding.evidence, most=12),
        against=index.cite(finding.contradicting),
        remedy=to_prose(finding.remedy),
        effects=", ".join(f"`{slug}`" for slug in effects),
    )


def _recommend(findings: Iterable[Finding], index: EvidenceIndex) -> Iterator[Recommendation]:
    for finding in findings:
        if finding.remedy:
            yield Recommendation(to_prose(finding.remedy), finding.slug, index.cite(finding.evidence, most=3))


def _outcome_word(result: Result) -> str:
    return (
        "**found**" if result is Result.FOUND else "not checked" if result is Result.SKIPPED else result.value
    )


def _query_again(diagnosis: Diagnosis, index: EvidenceIndex) -> str:
    """Lines that show the cited entries in Cloud Logging once more; empty where they are not there."""
    ids, window = index.insert_ids()[:40], diagnosis.query.window
    if not diagnosis.query.logs or not ids or window is None:
        return ""
    safe = [one for one in ids if one.replace("-", "").replace("_", "").isalnum()]
    since, until = window.to_rfc3339()
    listed = " OR ".join(f'"{one}"' for one in safe)
    return "\n".join(
        f'gcloud logging read \'timestamp>="{since}" timestamp<"{until}" insertId=({listed})\''
        f" {one.gcloud_options} --format=json"
        for one in diagnosis.query.logs
    )
