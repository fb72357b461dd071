"""The program: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import errno
import gc
import sys
from typing import Annotated

import typer

from diag import __version__
from diag.cli import (
    catalogue,
    cluster,
    config,
    doctor,
    find,
    lql,
    options,
    output,
    session,
    sessions,
    streams,
    topics,
)
from diag.errors import DiagError, ExitCode

_STREAM_ERRORS = (errno.ENOSPC, errno.EBADF, errno.EIO)

app = typer.Typer(
    name="diag",
    help="Reconstructs one voice-agent session from GKE and Kafka logs and says what broke it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("session", epilog=options.list_settings())(session.session)
app.command("sessions", epilog=options.list_settings())(sessions.sessions)
app.command("find", epilog=options.list_settings())(find.find)
app.command("topics", epilog=options.list_settings("kafka", "topics", "kubernetes", "cluster"))(topics.topics)
app.command("cluster", epilog=options.list_settings("kubernetes", "cluster", "logging"))(cluster.cluster)
app.command("doctor", epilog=options.list_settings())(doctor.doctor)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(lql.app, name="lql")
app.add_typer(config.app, name="config")


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
    streams.prepare_streams()
    gc.set_threshold(200_000)  # a run makes millions of values without cycles, and ends soon
    try:
        app()
    except DiagError as error:
        hint = f" ({error.hint})" if error.hint else ""
        output.note(" ".join(f"diag: {error}{hint}".split()))
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _STREAM_ERRORS or error.filename is not None:
            raise
        streams.silence(sys.stdout)  # the help or the version could not be printed
        output.note(f"diag: stdout: {error.strerror} (check where it goes)")
        sys.exit(ExitCode.USAGE)
    except SystemExit as leaving:
        if leaving.code == ExitCode.INTERRUPTED:  # typer's own, for a KeyboardInterrupt
            output.note("diag: interrupted; there is no result")
        raise
