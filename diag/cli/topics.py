"""``diag topics``."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output

if TYPE_CHECKING:
    from diag.model.settings import Settings
    from diag.model.topics import TopicReport

CreateMissing = Annotated[
    bool, typer.Option("--create-missing", help="Create what is missing; the plan is printed first.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --create-missing: only show what would be done.")
]


def topics(
    create_missing: CreateMissing = False,
    dry_run: DryRun = False,
    kafka: options.Kafka = None,
    kafka_via: options.KafkaVia = None,
    kafka_config: options.KafkaConfig = None,
    kafka_profile: options.KafkaProfile = None,
    namespace: options.Namespace = None,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    config: options.Config = None,
    output_format: options.Output = options.ListOutput.TERMINAL,
    out: options.Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Compare the wanted topics with the broker's; create what is missing.

    Exits 12 if a topic of the audio path is missing or a consumer gets nothing, 11 if only logging
    topics are missing or differ, else 0. With --create-missing: 0 if all was created, 1 if not.
    """
    from diag.config import load_settings

    output.check_out(out)
    flags = {
        **options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
        **options.to_kube_flags(kubeconfig, context),
        "cluster.namespace": namespace,
    }
    settings = load_settings(flags, os.environ, config)
    output.tell_notes(settings, quiet=quiet)
    sink = _Sink(output_format, out, quiet)
    raise typer.Exit(_run(settings, sink, create=create_missing, dry_run=dry_run))


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where the answer goes."""

    output_format: options.ListOutput
    out: Path | None
    quiet: bool


def _run(settings: Settings, sink: _Sink, *, create: bool, dry_run: bool) -> int:
    from diag.app.topics import create_missing, plan_topics
    from diag.model.topics import TopicReport

    with output.show_progress(quiet=sink.quiet) as progress:
        plan = asyncio.run(plan_topics(settings, time.time_ns(), progress))
    where = settings.kafka.bootstrap
    report = TopicReport(plan, where, dry_run=dry_run, namespace=settings.cluster.first_namespace)
    if not create or dry_run:
        _say(report, sink)
        return exits.of_plan(plan)
    before = report
    if sink.output_format is options.ListOutput.TERMINAL:
        _say(report, sink, creating=True)  # the plan, before anything is done
    with output.show_progress(quiet=sink.quiet) as progress:
        report = asyncio.run(create_missing(settings, plan, progress))
    _say(report, sink, before=before)
    return exits.of_creation(report)


def _say(
    report: TopicReport, sink: _Sink, *, creating: bool = False, before: TopicReport | None = None
) -> None:
    """What was found; with `before`, what was done about what had been found before."""
    from diag.render.json_v1 import render_topics_json
    from diag.render.topics import render_creation, render_plan

    if sink.output_format is options.ListOutput.JSON:
        output.write_text(render_topics_json(report), sink.out)
    else:
        text = render_creation(report) if before else render_plan(report, creating=creating)
        if before and sink.out is not None:  # a file holds the plan as well, as the terminal does
            text = render_plan(before, creating=True).append("\n").append(text)
        output.write_styled(text, sink.out)
