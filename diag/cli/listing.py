"""What ``diag sessions`` and ``diag find`` have in common: what was typed -> a list of sessions, written."""

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
from diag.model.instants import format_instant

if TYPE_CHECKING:
    from diag.app.request import SessionsRequest
    from diag.model.filters import Filter
    from diag.model.overview import Overview
    from diag.model.progress import Progress
    from diag.model.reading_plan import ReadingPlan

AROUND_NS = 15 * 60 * 1_000_000_000
_INTERRUPTED = "diag: interrupted; finishing with what there is; Ctrl-C again ends at once"

Around = Annotated[
    str | None,
    typer.Option(
        help="15 minutes before and after this time, instead of --since and --until.",
        rich_help_panel="Sources",
    ),
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as it was typed.

    Attributes:
        where: a further condition that entries meet.
        sought: a text that the sessions have; None where none is sought.
    """

    files: tuple[str, ...]
    window: tuple[str | None, str | None]
    around: str | None
    no_reply: bool = False
    cause: str = ""
    sought: str | None = None
    where: Filter | None = None

    def bounds(self, now_ns: int) -> Bounds:
        """Both ends of the window; raises `UsageError`."""
        if self.around is None:
            return parse_bounds(*self.window, now_ns)
        if self.window != (None, None):
            raise UsageError("--around goes with neither --since nor --until", hint="give one or the other")
        middle_ns = parse_when(self.around, now_ns, "--around") or 0
        if not self.files and middle_ns - AROUND_NS >= now_ns:  # files may come from another clock
            middle, now = format_instant(middle_ns, 0), format_instant(now_ns, 0)
            raise UsageError(
                f"--around {middle} is not in the past; it is {now} now",
                hint=f"times are UTC, and of today where no day is named: 'yesterday {middle[11:16]}'",
            )
        return middle_ns - AROUND_NS, middle_ns + AROUND_NS


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the answer goes, or with `explain` what would be asked for it."""

    output_format: options.ListOutput
    out: Path | None
    quiet: bool
    explain: bool


def run(question: Question, flags: options.Flags, config: Path | None, sink: Sink) -> int:
    """Answer and write; gives the exit code."""
    output.check_out(sink.out)
    with output.show_progress(quiet=sink.quiet) as progress:
        request = _to_request(question, flags, config, progress)
        output.tell_notes(request.settings, quiet=sink.quiet)
        if question.files:
            output.tell_idle(flags, quiet=sink.quiet)
        answer = _answer(request, explain=sink.explain, quiet=sink.quiet)
    return _say(answer, sink)


def _to_request(
    question: Question, flags: options.Flags, config: Path | None, progress: Progress
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
        sought=question.sought,
        where=question.where,
    )


def _answer(request: SessionsRequest, *, explain: bool, quiet: bool) -> Overview | ReadingPlan:
    if explain:
        from diag.app.plan import plan_sessions

        return run_until_interrupted(plan_sessions(request))
    from diag.app.sessions import leave_nothing, list_sessions

    return run_until_interrupted(list_sessions(request), "" if quiet else _INTERRUPTED, leave_nothing)


def _say(answer: Overview | ReadingPlan, sink: Sink) -> int:
    from diag.model.reading_plan import ReadingPlan
    from diag.render.sessions import render_overview
    from diag.render.sessions_v1 import render_overview_json

    as_json = sink.output_format is options.ListOutput.JSON
    if isinstance(answer, ReadingPlan):
        output.write_plan(answer, sink.out, as_json=as_json)
        return ExitCode.OK
    output.warn(answer.coverage, quiet=sink.quiet)
    if as_json:
        output.write_text(render_overview_json(answer), sink.out)
    else:
        output.write_styled(render_overview(answer), sink.out)
    return exits.of_overview(answer)
