"""Findings and coverage -> the exit code. A finding wins over a failed source, that over a partial one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

import typer

from diag.errors import ExitCode
from diag.model.checkup import Checkup, Health
from diag.model.cluster_view import ClusterReport
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis, NothingFound
from diag.model.findings import Scope, Severity, Status
from diag.model.overview import Overview
from diag.model.topics import TopicPlan, TopicReport
from diag.topics import judge_plan

_FIRST_FOUND = ExitCode.FOUND_INFO
_LEAST = {Status.BROKEN: Severity.ERROR, Status.DEGRADED: Severity.WARNING}


def of_diagnosis(diagnosis: Diagnosis, fail_on: Severity) -> int:
    """The worst finding, and no less than the verdict says, which may know more than the findings.

    Standing findings do not set the code of one session.
    """
    severities = [finding.severity for finding in diagnosis.of_scope(Scope.SESSION)]
    if diagnosis.verdict.status in _LEAST:
        severities.append(_LEAST[diagnosis.verdict.status])
    worst = max(severities, default=None)
    if worst is not None and worst >= fail_on:
        return _FIRST_FOUND + worst
    return of_sources(diagnosis.coverage.sources) or ExitCode.OK


def of_nothing(nothing: NothingFound) -> int:
    """Nothing found, unless a source that was asked for may have had it."""
    return of_sources(nothing.coverage.sources) or ExitCode.NOTHING_FOUND


def of_overview(overview: Overview) -> int:
    """0 if any session is listed, 3 if none is; what a source did not give wins."""
    found = ExitCode.OK if overview.sessions else ExitCode.NOTHING_FOUND
    return of_sources(overview.coverage.sources) or found


def of_cluster(report: ClusterReport) -> int:
    """0 if anything ran in the window, 3 if nothing did; what a source did not give wins."""
    view = report.view
    found = ExitCode.OK if view.workloads or view.others or view.services else ExitCode.NOTHING_FOUND
    return of_sources(report.sources) or found


def of_sources(sources: Iterable[SourceCoverage]) -> int:
    """4 for a failed source, 5 for a partial one, else 0."""
    states = {source.state for source in sources}
    if State.FAILED in states:
        return ExitCode.SOURCE_FAILED
    return ExitCode.INCOMPLETE if State.PARTIAL in states else ExitCode.OK


def of_learning(lines: int, source: SourceCoverage) -> int:
    """0 if there was something to learn from, 3 if no line was read; a file that failed wins."""
    return of_sources((source,)) or (ExitCode.OK if lines else ExitCode.NOTHING_FOUND)


def of_plan(plan: TopicPlan) -> int:
    """The state that was found: 12 for the audio path, 11 for logging topics and drift, else 0."""
    severity = judge_plan(plan)
    return ExitCode.OK if severity is None else _FIRST_FOUND + severity


def of_creation(report: TopicReport) -> int:
    """0 if all was created, 1 if not."""
    return ExitCode.FAULT if any(one.error for one in report.created) else ExitCode.OK


def of_checkup(checkup: Checkup) -> int:
    """2 for wrong settings, 4 if anything that was asked for failed, 5 if it would give only a part."""
    if checkup.find("settings").state is Health.FAILED:
        return ExitCode.USAGE
    answers = [one.answer for one in checkup.probes]
    if any(answer.state is Health.FAILED for answer in answers):
        return ExitCode.SOURCE_FAILED
    return ExitCode.INCOMPLETE if any(answer.partial for answer in answers) else ExitCode.OK


def leave(code: int, *, unfinished: bool) -> NoReturn:
    """End with this code. What hangs, such as the look-up of a name, can not be called off: it is left."""
    if unfinished:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)
