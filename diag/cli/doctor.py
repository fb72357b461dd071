"""``diag doctor``."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from diag.cli import exits, options, output

if TYPE_CHECKING:
    from diag.model.checkup import Checkup, TerminalFacts


def doctor(
    project: options.Project = None,
    location: options.Location = None,
    cluster: options.Cluster = None,
    namespace: options.Namespace = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    logging_endpoint: options.LoggingEndpoint = None,
    kafka: options.Kafka = None,
    kafka_via: options.KafkaVia = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    catalogue: options.CatalogueFiles = None,
    repo: options.Repo = None,
    manifests: options.Manifests = None,
    config: options.Config = None,
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Try what a session needs: settings, credentials, rights, logs, broker, cluster, clock; say what to do.

    Nothing is changed, and a few read requests are spent. Every probe has its own time, at most 20 seconds.
    Exits 0 if all that is asked for can be had, 2 if a setting is wrong, 4 if something fails, 5 if a
    session would be judged with a part only.
    """
    output.check_out(out)
    flags = {
        **options.to_source_flags(
            project=project,
            endpoint=logging_endpoint,
            cluster=(location, cluster, namespace),
            broker=options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
            catalogue=catalogue,
        ),
        **options.to_kube_flags(kubeconfig, context),
        **options.to_code_flags(repo, manifests),
    }
    checkup = _examine(flags, config, quiet=quiet)
    _write(checkup, output_format, out)
    exits.leave(exits.of_checkup(checkup), unfinished=checkup.unfinished)


def _examine(flags: options.Flags, config: Path | None, *, quiet: bool) -> Checkup:
    from diag.app.doctor import DoctorRequest, examine

    # before progress is shown: while it is, something else stands in stdout's place
    request = DoctorRequest(flags, os.environ, config, _see_terminal(), time.time_ns())
    with output.show_progress(quiet=quiet) as progress:
        progress("asking Cloud Logging and Kafka")
        return examine(request)


def _see_terminal() -> TerminalFacts:
    from diag.model.checkup import TerminalFacts

    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    colours = columns is not None and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return TerminalFacts(columns, sys.stdout.encoding or "unknown", colours)


def _write(checkup: Checkup, output_format: options.ListOutput, out: Path | None) -> None:
    from diag.render.doctor import render_checkup, render_checkup_json

    if output_format is options.ListOutput.JSON:
        output.write_text(render_checkup_json(checkup), out)
    else:
        output.write_styled(render_checkup(checkup), out)
