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
from diag.errors import UsageError

if TYPE_CHECKING:
    from diag.model.overview import Overview

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
    quota: options.Quota = None,
    catalogue: options.CatalogueFiles = None,
    config: options.Config = None,
    no_reply: NoReply = False,
    cause: Cause = None,
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
        "kafka.bootstrap": kafka,
        "catalogue.files": catalogue or None,
    }
    output.check_out(out)
    question = _Question(tuple(files or ()), (since, until), around, no_reply, cause or "")
    overview = _ask(question, flags, config, quiet=quiet)
    _write(overview, output_format, out)
    raise typer.Exit(exits.of_overview(overview))


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


def _ask(question: _Question, flags: options.Flags, config: Path | None, *, quiet: bool) -> Overview:
    from diag.app.request import SessionsRequest
    from diag.app.sessions import leave_nothing, list_sessions
    from diag.config import load_settings

    settings, now_ns = load_settings(flags, os.environ, config), time.time_ns()
    since_ns, until_ns = question.bounds(now_ns)
    with output.show_progress(quiet=quiet) as progress:
        request = SessionsRequest(
            settings=settings,
            now_ns=now_ns,
            files=question.files,
            since_ns=since_ns,
            until_ns=until_ns,
            ask_kafka=not question.files or flags["kafka.bootstrap"] is not None,
            progress=progress,
            unanswered=question.no_reply,
            cause=question.cause,
        )
        overview = run_until_interrupted(list_sessions(request), "" if quiet else _INTERRUPTED, leave_nothing)
    output.warn(overview.coverage, quiet=quiet)
    return overview


def _write(overview: Overview, output_format: options.ListOutput, out: Path | None) -> None:
    from diag.render.sessions import render_overview
    from diag.render.sessions_v1 import render_overview_json

    if output_format is options.ListOutput.JSON:
        output.write_text(render_overview_json(overview), out)
    else:
        output.write_styled(render_overview(overview), out)
