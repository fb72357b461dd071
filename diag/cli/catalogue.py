"""``diag catalogue``: your own services' logs, described."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output
from diag.errors import ExitCode

if TYPE_CHECKING:
    from diag.app.catalogue import Learnt

app = typer.Typer(
    help="Describe what your own services log: propose a catalogue, check it.", no_args_is_help=True
)

CatalogueNames = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Catalogue files; read together, as a session would.")
]
LogNames = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Log files or folders of your services; - is stdin.")
]


@app.command("validate")
def validate(files: CatalogueNames, out: options.Out = None) -> None:
    """Check catalogue files: every problem with its line and what to do.

    Exits 0 and says what each file holds, or 2 if anything is wrong.
    """
    from diag.app.catalogue import validate_catalogue
    from diag.render.catalogue import render_report

    output.check_out(out)
    report = validate_catalogue(files)
    output.write_text(render_report(report), out)
    raise typer.Exit(ExitCode.USAGE if report.problems else ExitCode.OK)


@app.command("learn")
def learn(
    files: LogNames,
    catalogue: options.CatalogueFiles = None,
    config: options.Config = None,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Propose catalogue entries from log files: message templates with counts, and the ID keys found.

    Prints TOML. What the catalogue knows already is left out. Exits 0, 3 if there are no lines,
    4 or 5 if a file could not be read.
    """
    from diag.app.catalogue import learn_catalogue
    from diag.config import load_settings

    output.check_out(out)
    settings = load_settings({"catalogue.files": catalogue or None}, os.environ, config)
    with output.show_progress(quiet=quiet) as progress:
        learnt = asyncio.run(learn_catalogue(files, settings, progress))
    raise typer.Exit(_say(learnt, out, quiet=quiet))


def _say(learnt: Learnt, out: Path | None, *, quiet: bool) -> int:
    from diag.render.catalogue import render_proposal, summarise_proposal
    from diag.render.neutral import to_plain

    output.write_text(render_proposal(learnt.proposal), out)
    for problem in learnt.source.notes:
        output.note(to_plain(f"diag: {problem}"))
    output.note(summarise_proposal(learnt.proposal), quiet=quiet)
    return exits.of_learning(learnt.proposal.lines, learnt.source)
