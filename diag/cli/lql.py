"""``diag lql``: the query language of Cloud Logging, explained."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from diag.cli import options, output
from diag.errors import ExitCode, UsageError

_MOST_BYTES = 1_000_000

app = typer.Typer(help="Filters of the Logging query language: read, explained.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("check")
def check(
    filter_text: Annotated[
        str,
        typer.Argument(metavar="FILTER", help="The filter; - is stdin. After --, it may begin with a dash."),
    ],
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
) -> None:
    """Explain a filter: the tree as the service reads it, and what surprises in it.

    Exits 0, or 2 with the first error, its place and what to write instead. Nothing is asked of the service.
    """
    from diag.app.lql import check_filter

    output.check_out(out)
    report = check_filter(_read_stdin() if filter_text == "-" else output.to_text(filter_text))
    if output_format is options.ListOutput.JSON:
        from diag.render.lql_v1 import render_filter_json

        output.write_text(render_filter_json(report), out)
    else:
        from diag.render.lql import render_filter

        output.write_styled(render_filter(report), out)
    raise typer.Exit(ExitCode.USAGE if report.problem else ExitCode.OK)


def _read_stdin() -> str:
    """Everything that a filter may be, and a little more: the check itself refuses what is too long."""
    try:
        raw = sys.stdin.buffer.read(_MOST_BYTES)
    except (OSError, AttributeError) as error:
        raise UsageError("stdin can not be read", hint="give the filter as a word") from error
    return raw.decode("utf-8", "replace").rstrip("\r\n")
