"""``diag config``: a settings file, the settings in force, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from diag.cli import options, output
from diag.errors import ExitCode

app = typer.Typer(
    help="Write a settings file, show the settings in force, find what is wrong in them.",
    no_args_is_help=True,
)

NewFile = Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it.")]
SettingsFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="Default: diag.toml here, and the environment.")
]


@app.command("init")
def init(file: NewFile = Path("diag.toml"), quiet: options.Quiet = False) -> None:
    """Write a settings file: every setting with its default and what it means.

    What the kubeconfig's current GKE context tells is filled in. Only you may read the file. One that is
    there already is never touched: exit 2.
    """
    from diag.app.config import propose_settings
    from diag.render.config import render_settings_file

    output.write_new(render_settings_file(propose_settings()), file)
    output.note(f"{file} was written; diag doctor tells what can be reached with it", quiet=quiet)


@app.command("show", epilog=options.list_settings())
def show(
    project: options.Project = None,
    location: options.Location = None,
    cluster: options.Cluster = None,
    namespace: options.Namespace = None,
    logging_endpoint: options.LoggingEndpoint = None,
    kafka: options.Kafka = None,
    kafka_via: options.KafkaVia = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    quota: options.Quota = None,
    catalogue: options.CatalogueFiles = None,
    config: options.Config = None,
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
) -> None:
    """Show the settings in force, each with where it came from.

    Origins are option, environment, file, kubeconfig and default; the first of these that names a setting
    wins. Another Kafka client's file (kafka-config) stands just below the one that names it.
    A secret is never shown, only that there is one. Exits 2 if a setting is wrong.
    """
    from diag.app.config import show_settings
    from diag.render.config import render_settings, render_settings_json

    output.check_out(out)
    flags = options.to_source_flags(
        project=project,
        endpoint=logging_endpoint,
        cluster=(location, cluster, namespace),
        broker=options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
        catalogue=catalogue,
        quota=quota,
    )
    shown = show_settings(flags, os.environ, config)
    if output_format is options.ListOutput.JSON:
        output.write_text(render_settings_json(shown), out)
    else:
        output.write_styled(render_settings(shown), out)


@app.command("validate")
def validate(file: SettingsFile = None, out: options.Out = None) -> None:
    """Name every fault of a settings file, with its line and what to do.

    Files that it names (topics, catalogues) are checked as well. Exits 2 if anything is wrong, else 0.
    """
    from diag.app.config import validate_settings
    from diag.render.config import render_settings_report

    output.check_out(out)
    report = validate_settings(file, {} if file else os.environ)
    output.write_text(render_settings_report(report), out)
    raise typer.Exit(ExitCode.USAGE if report.problems else ExitCode.OK)
