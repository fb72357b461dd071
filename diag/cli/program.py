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
from diag.cli.ending import NO_RESULT
from diag.errors import DiagError, ExitCode

_STREAM_ERRORS = (errno.ENOSPC, errno.EBADF, errno.EIO)
_LONGEST_SAID = 300

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


def run() -> int:
    """Run the program; gives its exit code."""
    streams.prepare_streams()
    gc.set_threshold(200_000)  # a run makes millions of values without cycles, and ends soon
    try:
        code: int = app(standalone_mode=False) or ExitCode.OK
    except DiagError as error:
        hint = f" ({error.hint})" if error.hint else ""
        output.note(" ".join(f"diag: {error}{hint}".split()))
        code = error.exit_code
    except typer.TyperException as error:
        _explain_usage(error)
        code = ExitCode.USAGE
    except OSError as error:
        if error.errno not in _STREAM_ERRORS or error.filename is not None:
            raise
        streams.silence(sys.stdout)  # the help or the version could not be printed
        output.note(f"diag: stdout: {error.strerror} (check where it goes)")
        code = ExitCode.USAGE
    if code == ExitCode.INTERRUPTED:  # typer's own, for a KeyboardInterrupt
        output.note(NO_RESULT)
    return code


def _explain_usage(error: typer.TyperException) -> None:
    """What typer refuses, in one line like every other error: it would draw a box.

    Without arguments it has printed the help already, and has no message.
    """
    said = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")
    if not said:
        return
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "diag"
    shown = said if len(said) <= _LONGEST_SAID else f"{said[:_LONGEST_SAID]}..."
    output.note(f"diag: {shown[0].lower()}{shown[1:]} ({command} -h tells what there is)")
