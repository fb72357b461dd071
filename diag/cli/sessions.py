"""``diag sessions``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output
from diag.cli.interrupts import run_until_interrupted
from diag.cli.times import Bounds, parse_bounds, parse_when
from diag.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from diag.app.request import SessionsRequest
    from diag.model.overview import Overview
    from diag.model.progress import Progress
    from diag.model.reading_plan import ReadingPlan

AROUND_NS = 15 * 60 * 1_000_000_000
_INTERRUPTED = "diag: interrupted; finishing with what there is; Ctrl-C again ends at once"

LogFiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Log files or folders, read instead of Cloud Logging; - is stdin."),
]
Around = Annotated[
    str | None,
    typer.Option(
        help="15 minutes before and after this time, instead of --since and --until.",
        rich_help_panel="Sources",
    ),
]
NoReply = Annotated[
    bool,
    typer.Option("--no-reply", help="Only sessions with a turn that got no reply.", rich_help_panel="Output"),
]
Cause = Annotated[
    str | None,
    typer.Option(metavar="SLUG", help="Only sessions with this finding.", rich_help_panel="Output"),
]
Output = Annotated[
    options.ListOutput,
    typer.Option("--output", "-o", help="What goes to stdout.", rich_help_panel="Output"),
]


def sessions(
    files: LogFiles = None,
    since: options.Since = None,
    until: options.Until = None,
    around: Around = None,
    project: options.Project = None,
    location: options.Location = None,
    cluster: options.Cluster = None,
    namespace: options.Namespace = None,
    logging_endpoint: options.LoggingEndpoint = None,
    kafka: options.Kafka = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    quota: options.Quota = None,
    catalogue: options.CatalogueFiles = None,
    config: options.Config = None,
    no_reply: NoReply = False,
    cause: Cause = None,
    no_cache: options.NoCache = False,
    explain_plan: options.ExplainPlan = False,
    output_format: Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the sessions of a window, each with its verdict: where to begin when nobody has an ID.

    Reads the last hour of Cloud Logging, or the log FILEs. Exits 0 if it lists any, 3 if there is none,
    4 or 5 if a source failed or was partial, 2 for wrong usage. Findings set no exit code here.
    """
    flags = {
        "logging.project": project,
        "logging.endpoint": logging_endpoint,
        "logging.quota": quota,
        "cluster.location": location,
        "cluster.name": cluster,
        "cluster.namespace": namespace,
        **options.to_kafka_flags(kafka, kafka_config, kafka_profile),
        "catalogue.files": catalogue or None,
        "cache.max_mb": "0" if no_cache else None,
    }
    output.check_out(out)
    question = _Question(tuple(files or ()), (since, until), around, no_reply, cause or "")
    with output.show_progress(quiet=quiet) as progress:
        request = _to_request(question, flags, config, progress)
        output.tell_notes(request.settings, quiet=quiet)
        answer = _answer(request, explain=explain_plan, quiet=quiet)
    raise typer.Exit(_say(answer, output_format, out, quiet=quiet))


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, as it was typed."""

    files: tuple[str, ...]
    window: tuple[str | None, str | None]
    around: str | None
    no_reply: bool
    cause: str

    def bounds(self, now_ns: int) -> Bounds:
        """Both ends of the window; raises `UsageError`."""
        if self.around is None:
            return parse_bounds(*self.window, now_ns)
        if self.window != (None, None):
            raise UsageError("--around goes with neither --since nor --until", hint="give one or the other")
        middle_ns = parse_when(self.around, now_ns, "--around") or 0
        return middle_ns - AROUND_NS, middle_ns + AROUND_NS


def _to_request(
    question: _Question, flags: options.Flags, config: Path | None, progress: Progress
) -> SessionsRequest:
    from diag.app.request import SessionsRequest
    from diag.config import load_settings

    settings, now_ns = load_settings(flags, os.environ, config), time.time_ns()
    since_ns, until_ns = question.bounds(now_ns)
    return SessionsRequest(
        settings=settings,
        now_ns=now_ns,
        files=question.files,
        since_ns=since_ns,
        until_ns=until_ns,
        ask_kafka=not question.files or options.names_broker(flags),
        progress=progress,
        unanswered=question.no_reply,
        cause=question.cause,
    )


def _answer(request: SessionsRequest, *, explain: bool, quiet: bool) -> Overview | ReadingPlan:
    if explain:
        from diag.app.plan import plan_sessions

        return run_until_interrupted(plan_sessions(request))
    from diag.app.sessions import leave_nothing, list_sessions

    return run_until_interrupted(list_sessions(request), "" if quiet else _INTERRUPTED, leave_nothing)


def _say(
    answer: Overview | ReadingPlan, output_format: options.ListOutput, out: Path | None, *, quiet: bool
) -> int:
    from diag.model.reading_plan import ReadingPlan
    from diag.render.sessions import render_overview
    from diag.render.sessions_v1 import render_overview_json

    as_json = output_format is options.ListOutput.JSON
    if isinstance(answer, ReadingPlan):
        output.write_plan(answer, out, as_json=as_json)
        return ExitCode.OK
    output.warn(answer.coverage, quiet=quiet)
    if as_json:
        output.write_text(render_overview_json(answer), out)
    else:
        output.write_styled(render_overview(answer), out)
    return exits.of_overview(answer)
