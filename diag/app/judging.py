"""A session and what was read -> a diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import diag
from diag.checks import CHECKS, CheckContext, reach_verdict, run_checks
from diag.checks.base import BROKER, LOGS, RECORDS
from diag.model.blueprint import NO_BLUEPRINT, Blueprint
from diag.model.cluster_view import ClusterView
from diag.model.coverage import Coverage, State
from diag.model.diagnosis import Diagnosis, Query
from diag.model.session import Session
from diag.session.reconstruct import Reading
from diag.topics import build_plan


def judge_session(
    query: Query,
    session: Session,
    reading: Reading,
    coverage: Coverage,
    cluster: ClusterView | None = None,
    *,
    blueprint: Blueprint = NO_BLUEPRINT,
) -> Diagnosis:
    """Run every check on what was read, and say what follows."""
    context = CheckContext(
        session=session,
        coverage=coverage,
        evidence=frozenset(_kinds_of_evidence(reading, coverage)),
        partial=frozenset(_kinds_in_part(coverage)),
        broker=reading.broker,
        wanted=reading.wanted,
        reaches_now=_reaches_now(query),
    )
    findings, outcomes = run_checks(CHECKS, context)
    return Diagnosis(
        query=query,
        session=session,
        verdict=reach_verdict(session, findings, outcomes),
        findings=findings,
        outcomes=outcomes,
        coverage=coverage,
        topics=build_plan(reading.wanted, reading.broker) if reading.broker else None,
        cluster=cluster,
        version=diag.__version__,
        code=blueprint.code,
        manifests=blueprint.manifests,
        drift=blueprint.drift,
    )


def _kinds_of_evidence(reading: Reading, coverage: Coverage) -> Iterator[str]:
    if any(source.state is not State.FAILED for source in coverage.log_sources()):
        yield LOGS
    if reading.broker is not None:
        yield BROKER
    if reading.records is not None:
        yield RECORDS


def _kinds_in_part(coverage: Coverage) -> Iterator[str]:
    if any(source.state is not State.COMPLETE for source in coverage.log_sources()):
        yield LOGS
    kafka = coverage.find("kafka")
    if kafka is not None and kafka.state in (State.PARTIAL, State.FAILED):
        yield RECORDS


def _reaches_now(query: Query) -> bool:
    """Whether what the broker is now holds for the window."""
    return (
        query.collected_ns is not None
        and query.window is not None
        and query.window.end_ns >= query.collected_ns
    )
