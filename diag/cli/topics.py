"""``diag topics``."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diag.cli import exits, options, output
from diag.errors import UsageError

if TYPE_CHECKING:
    from diag.model.settings import Settings
    from diag.model.topics import SavedPlan, TopicPlan, TopicReport

CreateMissing = Annotated[
    bool, typer.Option("--create-missing", help="Create what is missing; the plan is printed first.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --create-missing or --apply: only show what would be done.")
]
SavePlan = Annotated[
    Path | None,
    typer.Option("--save-plan", help="Write what is missing to this file, for --apply.", metavar="<path>"),
]
Apply = Annotated[
    str | None,
    typer.Option(
        help="Create what the plan in this file says, if it still fits this cluster.", metavar="<path>"
    ),
]


def topics(
    create_missing: CreateMissing = False,
    dry_run: DryRun = False,
    save_plan: SavePlan = None,
    apply: Apply = None,
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
    topics are missing or differ, else 0. With --create-missing or --apply: 0 if all was created, 1 if
    not, 2 for a plan that does not fit any more.
    """
    from diag.config import load_saved_plan, load_settings

    output.check_out(out)
    _check_one(
        [create_missing and "--create-missing", save_plan and "--save-plan", apply is not None and "--apply"]
    )
    saved = load_saved_plan(apply) if apply is not None else None
    flags = {
        **options.to_kafka_flags(kafka, kafka_via, kafka_config, kafka_profile),
        **options.to_kube_flags(kubeconfig, context),
        "cluster.namespace": namespace,
    }
    settings = load_settings(flags, os.environ, config)
    output.tell_notes(settings, quiet=quiet)
    sink = _Sink(output_format, out, quiet)
    code = _run(
        settings, sink, saved, create=create_missing or saved is not None, dry_run=dry_run, keep=save_plan
    )
    raise typer.Exit(code)


def _check_one(given: Sequence[str | bool | Path | None]) -> None:
    """One order at a time: a plan is kept so that somebody can look at it before it is carried out."""
    named = [str(one) for one in given if one]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} do not go together", hint="give one of them")


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where the answer goes."""

    output_format: options.ListOutput
    out: Path | None
    quiet: bool


def _run(
    settings: Settings,
    sink: _Sink,
    saved: SavedPlan | None,
    *,
    create: bool,
    dry_run: bool,
    keep: Path | None,
) -> int:
    from diag.app.topics import create_missing, plan_again, plan_topics
    from diag.model.topics import TopicReport

    with output.show_progress(quiet=sink.quiet) as progress:
        now_ns = time.time_ns()
        plan = asyncio.run(
            plan_again(settings, saved, now_ns, progress)
            if saved
            else plan_topics(settings, now_ns, progress)
        )
    where = settings.kafka.bootstrap
    report = TopicReport(
        plan,
        where,
        dry_run=dry_run,
        namespace=settings.cluster.first_namespace,
        kept_in=saved.file if saved else str(keep or ""),
    )
    if not create or dry_run:
        if keep is not None:
            _keep(plan, keep, quiet=sink.quiet)
        _say(report, sink)
        return exits.of_plan(plan)
    before = report
    if sink.output_format is options.ListOutput.TERMINAL:
        _say(report, sink, creating=True)  # the plan, before anything is done
    with output.show_progress(quiet=sink.quiet) as progress:
        report = asyncio.run(create_missing(settings, plan, progress))
    _say(report, sink, before=before)
    return exits.of_creation(report)


def _keep(plan: TopicPlan, file: Path, *, quiet: bool) -> None:
    from diag.app.topics import keep_plan
    from diag.render.topic_plan_v1 import render_saved_plan

    kept = keep_plan(plan)
    output.write_new(render_saved_plan(kept), file)
    count = len(kept.create)
    told = f"{count} topic{'' if count == 1 else 's'} to create" if count else "nothing to create"
    output.note(f"plan: {file} ({told}); diag topics --apply {file} carries it out", quiet=quiet)


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
