"""``diag cluster``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output
from diag.cli.interrupts import run_until_interrupted
from diag.cli.times import parse_bounds

if TYPE_CHECKING:
    from diag.model.cluster_view import ClusterReport


def cluster(
    since: options.Since = None,
    until: options.Until = None,
    namespace: options.Namespace = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    project: options.Project = None,
    location: options.Location = None,
    cluster_name: Annotated[
        str | None, typer.Option("--cluster", help="GKE cluster.", rich_help_panel="Sources")
    ] = None,
    logging_endpoint: options.LoggingEndpoint = None,
    config: options.Config = None,
    output_format: Annotated[options.SessionOutput, options.OUTPUT] = options.SessionOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Show what ran in a window, or runs now: workloads, pods, restarts, images, services, events.

    Nothing is changed. Exits 0 if anything was found, 3 if nothing, 4 or 5 if a source failed or was
    partial, 2 for wrong usage.
    """
    flags: options.Flags = {
        **options.to_kube_flags(kubeconfig, context),
        "cluster.namespace": namespace,
        "cluster.location": location,
        "cluster.name": cluster_name,
        "logging.project": options.join(project),
        "logging.endpoint": logging_endpoint,
    }
    sink = _Sink(output_format, out, quiet)
    raise typer.Exit(_run(flags, (since, until), config, sink))


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where the answer goes."""

    output_format: options.SessionOutput
    out: Path | None
    quiet: bool


def _run(
    flags: options.Flags, window: tuple[str | None, str | None], config: Path | None, sink: _Sink
) -> int:
    from diag.app.cluster import ClusterRequest, look_at_cluster
    from diag.config import load_settings

    output.check_out(sink.out)
    settings, now_ns = load_settings(flags, os.environ, config), time.time_ns()
    output.tell_notes(settings, quiet=sink.quiet)
    since_ns, until_ns = parse_bounds(*window, now_ns)
    with output.show_progress(quiet=sink.quiet) as progress:
        request = ClusterRequest(
            settings=settings, now_ns=now_ns, since_ns=since_ns, until_ns=until_ns, progress=progress
        )
        report = run_until_interrupted(look_at_cluster(request))
    _write(report, sink)
    return exits.of_cluster(report)


def _write(report: ClusterReport, sink: _Sink) -> None:
    from diag.render.cluster import render_cluster
    from diag.render.cluster_v1 import render_cluster_json
    from diag.render.markdown.cluster import render_cluster_markdown

    if sink.output_format is options.SessionOutput.TERMINAL:
        output.write_styled(render_cluster(report), sink.out)
    elif sink.output_format is options.SessionOutput.JSON:
        output.write_text(render_cluster_json(report), sink.out)
    else:
        output.write_text(render_cluster_markdown(report), sink.out)
