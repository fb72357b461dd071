"""The options that commands share, and how they become settings."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_SOURCES = "Sources"
_OUTPUT = "Output"


def list_settings(*groups: str) -> str:
    """The settings of these groups, or all, by their variables: what stands below a command's help."""
    from diag.config import name_variables

    named = name_variables().items()
    shown = [variable for variable, name in named if not groups or name.partition(".")[0] in groups]
    example = "DIAG_KAFKA_TIMEOUT_S is timeout_s in the table kafka."
    return (
        f"Settings, by flag, variable or diag.toml, in this order: {', '.join(shown)}. In diag.toml {example}"
    )


class SessionOutput(StrEnum):
    """What goes to stdout."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


class LogsFrom(StrEnum):
    """Where lines are read."""

    CLOUD_LOGGING = "cloud-logging"
    KUBERNETES = "kubernetes"


class KafkaWay(StrEnum):
    """How the broker is reached, if not straight."""

    PORT_FORWARD = "port-forward"


class ListOutput(StrEnum):
    """What goes to stdout."""

    TERMINAL = "terminal"
    JSON = "json"


Flags = dict[str, str | list[str] | None]
"""Dotted setting -> what its flag says; None where it is not given."""


def to_kafka_flags(
    bootstrap: str | None, via: KafkaWay | None, config: Path | None, profile: str | None
) -> Flags:
    """The flags that name a broker, and the way to it."""
    return {
        "kafka.bootstrap": bootstrap,
        "kafka.via": None if via is None else via.value,
        "kafka.config": None if config is None else str(config),
        "kafka.profile": profile,
    }


def to_kube_flags(kubeconfig: Path | None, context: str | None, logs_from: LogsFrom | None = None) -> Flags:
    """The flags that name the cluster whose objects are read, and whether its pods' logs are."""
    return {
        "logging.source": None if logs_from is None else logs_from.value,
        "kubernetes.kubeconfig": None if kubeconfig is None else str(kubeconfig),
        "kubernetes.context": context,
    }


def join(values: list[str] | None) -> str | None:
    """An option that may be given again, as the text with commas that its setting is."""
    return ",".join(values) if values else None


def to_source_flags(
    *,
    project: list[str] | None,
    endpoint: str | None,
    cluster: tuple[str | None, str | None, str | None],
    broker: Flags,
    catalogue: list[str] | None,
    quota: str | None = None,
) -> Flags:
    """The flags that say what is read.

    Args:
        project: of Google Cloud, or several, or log views.
        endpoint: of the log service.
        cluster: its location, its name, and the namespace.
        broker: see `to_kafka_flags`.
        catalogue: files of the user's own.
        quota: requests a minute.
    """
    location, name, namespace = cluster
    return {
        "logging.project": join(project),
        "logging.endpoint": endpoint,
        "logging.quota": quota,
        "cluster.location": location,
        "cluster.name": name,
        "cluster.namespace": namespace,
        **broker,
        "catalogue.files": catalogue or None,
    }


def to_code_flags(repo: Path | None, manifests: Path | None) -> Flags:
    """The flags that name the services' source code and manifests."""
    named = {"repo.path": repo, "manifests.path": manifests}
    return {setting: None if path is None else str(path) for setting, path in named.items()}


def to_cache_flags(*, no_cache: bool) -> Flags:
    """The flag that does without the cache."""
    return {"cache.max_mb": "0" if no_cache else None}


def names_kube(flags: Flags) -> bool:
    """Whether a flag says which cluster to read: with log files, none is read otherwise."""
    return any(value is not None for name, value in flags.items() if name.startswith("kubernetes."))


def names_broker(flags: Flags) -> bool:
    """Whether a flag says which broker to ask: with log files, none is asked otherwise."""
    return any(value is not None for name, value in flags.items() if name.startswith("kafka."))


def name_idle(flags: Flags) -> tuple[str, ...]:
    """The flags that ask for other lines than those of log files, which are read instead."""
    idle = {"logging.source": "--logs-from", "logging.endpoint": "--logging-endpoint"}
    if not names_kube(flags) and not names_broker(flags):  # else it may say which cluster is meant
        idle["logging.project"] = "--project"
    return tuple(flag for setting, flag in idle.items() if flags.get(setting) is not None)


class FailOn(StrEnum):
    """The least severity that sets the exit code."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


Since = Annotated[
    str | None,
    typer.Option(
        help="Start of the window: RFC 3339, 2h, 14:05, 'yesterday 14:00' (UTC).", rich_help_panel=_SOURCES
    ),
]
Until = Annotated[str | None, typer.Option(help="End of the window, likewise.", rich_help_panel=_SOURCES)]
Project = Annotated[
    list[str] | None,
    typer.Option(
        help="Google Cloud project or log view whose entries are read; may be given again, or with commas.",
        rich_help_panel=_SOURCES,
    ),
]
Location = Annotated[
    str | None, typer.Option(help="Region or zone of the cluster.", rich_help_panel=_SOURCES)
]
Cluster = Annotated[
    str | None, typer.Option(help="GKE cluster; several with commas.", rich_help_panel=_SOURCES)
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Namespace of the voice agent.", rich_help_panel=_SOURCES),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(help="Kubeconfig of the cluster whose objects are read.", rich_help_panel=_SOURCES),
]
Context = Annotated[
    str | None,
    typer.Option(
        help="Context of the kubeconfig; default: one of GKE's that fits the cluster.",
        rich_help_panel=_SOURCES,
    ),
]
LogsSource = Annotated[
    LogsFrom | None,
    typer.Option(
        "--logs-from",
        help="Read lines there alone; kubernetes: the pods' own. Default: Cloud Logging, else the pods.",
        rich_help_panel=_SOURCES,
    ),
]
LoggingEndpoint = Annotated[
    str | None,
    typer.Option(
        help="Another Cloud Logging endpoint; http://127.0.0.1:PORT for a local one.",
        rich_help_panel=_SOURCES,
    ),
]
Kafka = Annotated[
    str | None, typer.Option(help="Kafka broker, host:port[,host:port].", rich_help_panel=_SOURCES)
]
KafkaVia = Annotated[
    KafkaWay | None,
    typer.Option(help="Reach it through the Kubernetes API, by its names there.", rich_help_panel=_SOURCES),
]
KafkaConfig = Annotated[
    Path | None,
    typer.Option(
        help="Connection to Kafka: a Java client's client.properties, or rpk.yaml.", rich_help_panel=_SOURCES
    ),
]
KafkaProfile = Annotated[
    str | None,
    typer.Option(
        help="Profile of rpk.yaml (the current one); alone, of rpk's own file.", rich_help_panel=_SOURCES
    ),
]
LogFiles = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Log files or folders, read instead of Cloud Logging; - is stdin."),
]
OUTPUT = typer.Option("--output", "-o", help="What goes to stdout.", rich_help_panel=_OUTPUT)
Output = Annotated[ListOutput, OUTPUT]
Quota = Annotated[
    str | None,  # a number like every other: settings say what is allowed, in one line
    typer.Option(
        metavar="N", help="Read requests a minute that may be spent (60).", rich_help_panel=_SOURCES
    ),
]
ExplainPlan = Annotated[
    bool,
    typer.Option(
        "--explain-plan",
        help="Only show what would be asked of Cloud Logging, and at what cost; nothing is sent.",
        rich_help_panel=_SOURCES,
    ),
]
Repo = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Git repository of the services: where its lines are written, who calls what; nothing is run.",
        rich_help_panel=_SOURCES,
    ),
]
Manifests = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Kubernetes manifests of the services: what is meant to run, against what does.",
        rich_help_panel=_SOURCES,
    ),
]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Neither use nor keep what was read; else settled windows of Cloud Logging are kept, redacted.",
        rich_help_panel=_SOURCES,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="FILTER",
        help="Read only entries that match this, too: the Logging query language, also on files.",
        rich_help_panel=_SOURCES,
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="Settings file; default: diag.toml here.", rich_help_panel=_SOURCES)
]
CatalogueFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--catalogue",
        metavar="PATH",
        help="Catalogue of your own services; may be given again.",
        rich_help_panel=_SOURCES,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Write the output to this file instead of stdout.", rich_help_panel=_OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notes on stderr.", rich_help_panel=_OUTPUT)
]
