"""``diag find``."""

from __future__ import annotations

from typing import Annotated

import typer

from diag.cli import listing, options, output
from diag.cli.where import read_where

Sought = Annotated[
    str,
    typer.Argument(
        metavar="TEXT",
        help="A piece of an ID or of a line, or the beginning of a pod's name. Case does not matter.",
    ),
]


def find(
    sought: Sought,
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
    no_cache: options.NoCache = False,
    explain_plan: options.ExplainPlan = False,
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Find sessions by what one has: a piece of an ID, a pod, a connection, a trace, a text in a line.

    Reads the last hour of Cloud Logging, of the pods' own logs, or the log FILEs, and lists like `diag
    sessions` those that have TEXT in a line of their own, and where. What was redacted (words spoken,
    personal data) can not be found.
    Exits 0 if it finds any, 3 if there is none, 4 or 5 if a source failed or was partial, 2 for wrong usage.
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
        tuple(files or ()), (since, until), around, sought=output.to_text(sought), where=read_where(where)
    )
    sink = listing.Sink(output_format, out, quiet, explain_plan)
    raise typer.Exit(listing.run(question, flags, config, sink))
