"""``diag sessions``."""

from __future__ import annotations

from typing import Annotated

import typer

from diag.cli import listing, options
from diag.cli.where import read_where

NoReply = Annotated[
    bool,
    typer.Option("--no-reply", help="Only sessions with a turn that got no reply.", rich_help_panel="Output"),
]
Cause = Annotated[
    str | None,
    typer.Option(metavar="SLUG", help="Only sessions with this finding.", rich_help_panel="Output"),
]


def sessions(
    files: options.LogFiles = None,
    since: options.Since = None,
    until: options.Until = None,
    where: options.Where = None,
    around: listing.Around = None,
    project: options.Project = None,
    location: options.Location = None,
    cluster: options.Cluster = None,
    namespace: options.Namespace = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    logs_from: options.LogsSource = None,
    logging_endpoint: options.LoggingEndpoint = None,
    kafka: options.Kafka = None,
    kafka_via: options.KafkaVia = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    quota: options.Quota = None,
    catalogue: options.CatalogueFiles = None,
    config: options.Config = None,
    no_reply: NoReply = False,
    cause: Cause = None,
    no_cache: options.NoCache = False,
    explain_plan: options.ExplainPlan = False,
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """List the sessions of a window, each with its verdict: where to begin when nobody has an ID.

    Reads the last hour of Cloud Logging, or of the pods' own logs, or the log FILEs. Exits 0 if it lists
    any, 3 if there is none, 4 or 5 if a source failed or was partial, 2 for wrong usage. Findings set no exit
    code here.
    """
    flags = {
        **options.to_source_flags(
            project=project,
            endpoint=logging_endpoint,
            cluster=(location, cluster, namespace),
            broker=options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
            catalogue=catalogue,
            quota=quota,
        ),
        **options.to_kube_flags(kubeconfig, context, logs_from),
        **options.to_cache_flags(no_cache=no_cache),
    }
    question = listing.Question(
        tuple(files or ()), (since, until), around, no_reply, cause or "", where=read_where(where)
    )
    sink = listing.Sink(output_format, out, quiet, explain_plan)
    raise typer.Exit(listing.run(question, flags, config, sink))
