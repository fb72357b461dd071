"""Settings, grouped and frozen; ``config`` only loads them. Each field says what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from diag.model.findings import Severity
from diag.model.log_resources import LogResource, parse_resources
from diag.model.secret import Secret


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """Where log entries are read."""

    project: str = ""
    """Google Cloud project whose entries are read, or several with commas, the cluster's own first; log views
    (projects/P/locations/L/buckets/B/views/V) as well. Found from the kubeconfig's context if empty."""

    source: str = ""
    """Where lines are read: cloud-logging or kubernetes (the pods' own logs); empty: whichever has them."""

    endpoint: str = ""
    """Another endpoint than Google's, ``host:port``; ``http://`` for a plaintext one on loopback."""

    quota: int = 60
    """Read requests a minute that diag may spend (Cloud Logging allows 60 per project)."""

    max_pages: int = 40
    """Pages of 1000 entries that one query may take before its answer counts as partial."""

    @property
    def resources(self) -> tuple[LogResource, ...]:
        """Each project and view that is named, once; raises `ValueError` where one is neither."""
        return parse_resources(self.project)

    @property
    def projects(self) -> tuple[str, ...]:
        """Each project that is named, by itself or by a view of its own, once."""
        return tuple(dict.fromkeys(filter(None, (one.project for one in self.resources))))


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Which part of the project's entries is ours."""

    name: str = ""
    """GKE cluster, or several with commas; found from the kubeconfig's context if empty."""

    location: str = ""
    """Region or zone of the cluster, or several with commas; found likewise."""

    namespace: str = ""
    """Namespace of the voice agent, or several with commas; empty: every namespace of the cluster."""

    @property
    def names(self) -> tuple[str, ...]:
        """Each cluster that is named, once."""
        return _split(self.name)

    @property
    def locations(self) -> tuple[str, ...]:
        """Each location that is named, once."""
        return _split(self.location)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Each namespace that is named, once."""
        return _split(self.namespace)

    @property
    def first_namespace(self) -> str:
        """For a command that takes one; empty where none is named."""
        return next(iter(self.namespaces), "")


def _split(text: str) -> tuple[str, ...]:
    """What stands between commas, each once."""
    return tuple(dict.fromkeys(filter(None, (one.strip() for one in text.split(",")))))


@dataclass(frozen=True, slots=True)
class KubernetesSettings:
    """Which cluster is asked for its objects, and how it is reached."""

    kubeconfig: str = ""
    """Its kubeconfig; empty: KUBECONFIG, ~/.kube/config, or in a pod the pod's own account."""

    context: str = ""
    """Context of the kubeconfig; empty: one of GKE's that fits the cluster, the current one first."""

    timeout_s: float = 10.0
    """How long one answer may take; all of them together four times as long."""

    log_kb: int = 8192
    """Kilobytes of one container's log that are read at most where logs come from the cluster itself."""

    gke_endpoint: str = ""
    """Another address of the GKE API than Google's; ``http://`` for a plaintext one on loopback."""

    @property
    def is_named(self) -> bool:
        """Whether somebody said which cluster is meant: what was only found is excused where it fails."""
        return bool(self.kubeconfig or self.context)


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Which broker is asked for topics, groups and records, and how diag logs in there."""

    bootstrap: str = ""
    """``host:port[,host:port]``; empty: no broker is asked."""

    via: str = ""
    """How the broker is reached: empty, straight; ``port-forward``, through the Kubernetes API, by its names
    in the cluster."""

    config: str = ""
    """A Java client's ``client.properties`` or rpk's ``rpk.yaml``, to take the connection from."""

    profile: str = ""
    """Which profile of ``rpk.yaml``; empty: the current one. Without ``config`` rpk's own file is read."""

    security_protocol: str = ""
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; empty: TLS as soon as a login or certificate is named."""

    mechanism: str = ""
    """How to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."""

    username: str = ""
    """Who logs in; with OAUTHBEARER the client ID, or Google's principal where it can not be found."""

    password: Secret = field(default_factory=Secret)
    """The password, or OAUTHBEARER's client secret; from the environment alone, never from diag.toml."""

    password_file: str = ""
    """A file that holds the password."""

    ca_file: str = ""
    """PEM file of the authority that signed the broker's certificate; empty: the system's authorities."""

    cert_file: str = ""
    """PEM file of diag's own certificate, where the broker asks for one; it may hold the key, too."""

    key_file: str = ""
    """PEM file of the certificate's key; empty: it stands in the certificate's file."""

    key_password: Secret = field(default_factory=Secret)
    """What the key is encrypted with; from the environment alone."""

    oauth_endpoint: str = ""
    """Where OAUTHBEARER gets its token: an https URL, or ``google`` for Google's managed Kafka."""

    oauth_scope: str = ""
    """The scope that is asked for there, if it needs one."""

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
class RepoSettings:
    """The source code of your services, read and never run."""

    path: str = ""
    """A folder of a git repository; its latest commit is looked through. Empty: none."""

    files: tuple[str, ...] = ()
    """Files of the repository whose last change the report lists, beside those that write its lines."""

    timeout_s: float = 60.0
    """How long reading it may take before its answer counts as partial."""


@dataclass(frozen=True, slots=True)
class ManifestSettings:
    """What your deployment is meant to be."""

    path: str = ""
    """A folder of Kubernetes manifests, or one file of them, to be held against the cluster. Empty: none."""


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
    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    topics: TopicSettings = field(default_factory=TopicSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)
    repo: RepoSettings = field(default_factory=RepoSettings)
    manifests: ManifestSettings = field(default_factory=ManifestSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    file: str = ""
    """The settings file that was read, empty if none."""

    notes: tuple[str, ...] = ()
    """What the person should know of these settings: who can read a password, what was not used."""
