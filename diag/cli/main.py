"""The program: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from diag import __version__
from diag.cli import catalogue, session, topics
from diag.errors import DiagError

app = typer.Typer(
    name="diag",
    help="Reconstructs one voice-agent session from GKE and Kafka logs and says what broke it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("session")(session.session)
app.command("topics")(topics.topics)
app.add_typer(catalogue.app, name="catalogue")


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"diag {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program; the entry point of the package."""
    try:
        app()
    except DiagError as error:
        hint = f" ({error.hint})" if error.hint else ""
        typer.echo(" ".join(f"diag: {error}{hint}".split()), err=True)
        sys.exit(error.exit_code)
