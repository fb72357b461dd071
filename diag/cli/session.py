"""``diag session``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output
from diag.cli.interrupts import run_until_interrupted
from diag.cli.times import parse_bounds
from diag.cli.where import read_where
from diag.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from diag.app.request import SessionRequest
    from diag.model.diagnosis import Diagnosis, NothingFound
    from diag.model.filters import Filter
    from diag.model.reading_plan import ReadingPlan
    from diag.model.settings import Settings

SessionId = Annotated[
    str, typer.Argument(metavar="ID", help="Any ID that the session has: session, connection, trace.")
]
Report = Annotated[
    str | None,
    typer.Option(
        help="Where the Markdown report goes: a path, or none. Default: reports/ID.md, but for -o.",
        rich_help_panel="Output",
    ),
]
Output = Annotated[options.SessionOutput, options.OUTPUT]
FailOn = Annotated[
    options.FailOn | None,
    typer.Option(help="Least severity that sets the exit code (default: warning).", rich_help_panel="Output"),
]


def session(
    session_id: SessionId,
    files: options.LogFiles = None,
    since: options.Since = None,
    until: options.Until = None,
    where: options.Where = None,
    project: options.Project = None,
    location: options.Location = None,
    cluster: options.Cluster = None,
    namespace: options.Namespace = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    logs_from: options.LogsSource = None,
    logging_endpoint: options.LoggingEndpoint = None,
    kafka: options.Kafka = None,
    kafka_via: options.KafkaVia = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    quota: options.Quota = None,
    catalogue: options.CatalogueFiles = None,
    repo: options.Repo = None,
    manifests: options.Manifests = None,
    config: options.Config = None,
    no_cache: options.NoCache = False,
    explain_plan: options.ExplainPlan = False,
    output_format: Output = options.SessionOutput.TERMINAL,
    out: options.Out = None,
    report: Report = None,
    fail_on: FailOn = None,
    quiet: options.Quiet = False,
) -> None:
    """Reconstruct one session and say what broke it.

    Reads Cloud Logging and Kafka, or the log FILEs. Exits 0 if all is well, 10 to 13 by the worst
    finding, 3 if there is no such session, 4 or 5 if a source failed or was partial, 2 for wrong usage.
    """
    flags = {
        **options.to_source_flags(
            project=project,
            endpoint=logging_endpoint,
            cluster=(location, cluster, namespace),
            broker=options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
            catalogue=catalogue,
            quota=quota,
        ),
        **options.to_kube_flags(kubeconfig, context, logs_from),
        **options.to_code_flags(repo, manifests),
        **options.to_cache_flags(no_cache=no_cache),
        "report.fail_on": fail_on.value if fail_on else None,
    }
    sink = _Sink(output_format, out, report, quiet, explain_plan)
    question = _Question(tuple(files or ()), (since, until), read_where(where))
    raise typer.Exit(_run(session_id, question, flags, config, sink))


@dataclass(frozen=True, slots=True)
class _Question:
    """What is read."""

    files: tuple[str, ...]
    window: tuple[str | None, str | None]
    where: Filter | None


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where the answer goes, or with `explain` what would be asked for it."""

    output_format: options.SessionOutput
    out: Path | None
    report: str | None
    quiet: bool
    explain: bool


def _run(
    session_id: str,
    question: _Question,
    flags: options.Flags,
    config: Path | None,
    sink: _Sink,
) -> int:
    from diag.app.request import SessionRequest
    from diag.config import load_settings

    if not session_id.strip():  # a script's variable that was not set
        raise UsageError("ID is empty", hint="give any ID that the session has: session, connection, trace")
    _check_sink(sink)
    settings, now_ns = load_settings(flags, os.environ, config), time.time_ns()
    output.tell_notes(settings, quiet=sink.quiet)
    if question.files:
        output.tell_idle(flags, quiet=sink.quiet)
    since_ns, until_ns = parse_bounds(*question.window, now_ns)
    with output.show_progress(quiet=sink.quiet) as progress:
        request = SessionRequest(
            asked=output.to_text(session_id),
            settings=settings,
            now_ns=now_ns,
            files=question.files,
            where=question.where,
            since_ns=since_ns,
            until_ns=until_ns,
            ask_kafka=not question.files or options.names_broker(flags),
            ask_cluster=not question.files or options.names_kube(flags),
            progress=progress,
        )
        answer = _answer(request, explain=sink.explain)
    return _say(answer, settings, sink)


def _check_sink(sink: _Sink) -> None:
    output.check_out(sink.out)
    if sink.explain and sink.output_format is options.SessionOutput.MARKDOWN:
        raise UsageError("--explain-plan is no report", hint="use it with -o terminal or -o json")


def _answer(request: SessionRequest, *, explain: bool) -> Diagnosis | NothingFound | ReadingPlan:
    if explain:
        from diag.app.plan import plan_session

        return run_until_interrupted(plan_session(request))
    from diag.app.session import diagnose_session

    return run_until_interrupted(diagnose_session(request))


def _say(answer: Diagnosis | NothingFound | ReadingPlan, settings: Settings, sink: _Sink) -> int:
    from diag.model.diagnosis import NothingFound
    from diag.model.reading_plan import ReadingPlan

    if isinstance(answer, ReadingPlan):
        output.write_plan(answer, sink.out, as_json=sink.output_format is options.SessionOutput.JSON)
        return ExitCode.OK
    output.warn(answer.coverage, quiet=sink.quiet)
    if isinstance(answer, NothingFound):
        return _say_nothing(answer, sink)
    return _say_diagnosis(answer, settings, sink)


def _say_diagnosis(diagnosis: Diagnosis, settings: Settings, sink: _Sink) -> int:
    try:
        _write_result(diagnosis, sink)
    finally:  # the report is kept even where stdout is gone
        _write_report(diagnosis, sink)
    return exits.of_diagnosis(diagnosis, settings.report.fail_on)


def _write_result(diagnosis: Diagnosis, sink: _Sink) -> None:
    from diag.render.json_v1 import render_json
    from diag.render.markdown import render_markdown
    from diag.render.terminal import render_terminal

    if sink.output_format is options.SessionOutput.TERMINAL:
        output.write_styled(render_terminal(diagnosis), sink.out)
    elif sink.output_format is options.SessionOutput.JSON:
        output.write_text(render_json(diagnosis), sink.out)
    else:
        output.write_text(render_markdown(diagnosis), sink.out)


def _write_report(diagnosis: Diagnosis, sink: _Sink) -> None:
    from diag.render.markdown import render_markdown

    terminal = sink.output_format is options.SessionOutput.TERMINAL
    path = output.report_path(diagnosis.query.asked.text, sink.report, by_default=terminal)
    if path is not None:
        output.write_report(render_markdown(diagnosis), path, quiet=sink.quiet)


def _say_nothing(nothing: NothingFound, sink: _Sink) -> int:
    from diag.render.json_v1 import render_nothing_json
    from diag.render.terminal_nothing import render_nothing

    if sink.output_format is options.SessionOutput.JSON:
        output.write_text(render_nothing_json(nothing), sink.out)
    else:
        output.write_styled(render_nothing(nothing), sink.out)
    return exits.of_nothing(nothing)
