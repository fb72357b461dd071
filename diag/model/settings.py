"""Settings, grouped and frozen; ``config`` only loads them. Each field says what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from diag.model.findings import Severity


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """Where log entries are read."""

    project: str = ""
    """Google Cloud project whose entries are read; found from the kubeconfig's context if empty."""

    endpoint: str = ""
    """Another endpoint than Google's, ``host:port``; ``http://`` for a plaintext one on loopback."""

    quota: int = 60
    """Read requests a minute that diag may spend (Cloud Logging allows 60 per project)."""

    max_pages: int = 40
    """Pages of 1000 entries that one query may take before its answer counts as partial."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Which part of the project's entries is ours."""

    name: str = ""
    """GKE cluster; found from the kubeconfig's context if empty."""

    location: str = ""
    """Region or zone of the cluster; found likewise."""

    namespace: str = ""
    """Namespace of the voice agent; empty: every namespace of the cluster."""


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Which broker is asked for topics, groups and records."""

    bootstrap: str = ""
    """``host:port[,host:port]``; empty: no broker is asked."""

    timeout_s: float = 10.0
    """How long the broker may take for one answer."""

    max_records: int = 200_000
    """Records that may be looked at for one session before its answer counts as partial."""


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """Which topics the deployment needs."""

    file: str = ""
    """A TOML list of wanted topics; empty: the reference system's."""


@dataclass(frozen=True, slots=True)
class CatalogueSettings:
    """What your own services log."""

    files: tuple[str, ...] = ()
    """Catalogue files of your own, laid over the packaged one; see docs/catalogue.md."""


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What comes out."""

    fail_on: Severity = Severity.WARNING
    """The least severity of a finding that sets the exit code."""


@dataclass(frozen=True, slots=True)
class WorkSettings:
    """What work on many sessions may take of the machine."""

    memory_mb: int = 1024
    """Memory of all processes together; what does not fit waits on disk."""

    processes: int = 0
    """Processes side by side; 0: one for each core."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """What is kept of settled windows, redacted, so that it is not read again."""

    max_mb: int = 256
    """Size on disk of all that is kept; the least recently used goes first. 0: nothing is kept, or used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run."""

    logging: LoggingSettings = field(default_factory=LoggingSettings)
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    topics: TopicSettings = field(default_factory=TopicSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    file: str = ""
    """The settings file that was read, empty if none."""
