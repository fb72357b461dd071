"""The command lines of the control plane: what makes it small, local, and else as it is on GKE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.control_plane.access import CONTROLLERS, SCHEDULING, kubeconfig_path
from pipeline.local.control_plane.keys import Keys
from pipeline.local.control_plane.programs import (
    API_SERVER,
    CONTROLLER_MANAGER,
    ETCD,
    SCHEDULER,
    Programs,
)
from pipeline.local.readiness import LOOPBACK
from pipeline.local.state import CLUSTER

AUDIT_LOG = "audit.log"
_ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one control plane, all on the loopback address."""

    etcd: int
    etcd_peers: int
    api: int
    controllers: int
    scheduler: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one control plane keeps what, and its addresses; `services` is the subnet of Services."""

    folder: Path
    keys: Keys
    ports: Ports
    services: str

    @property
    def tokens(self) -> Path:
        """What the API server knows its users by."""
        return self.folder / "tokens.csv"

    @property
    def audit_log(self) -> Path:
        """What the API server writes of every change."""
        return self.folder / AUDIT_LOG

    @property
    def users(self) -> Path:
        """The folder of the kubeconfig files."""
        return self.folder / "users"


def build_commands(programs: Programs, layout: Layout) -> Mapping[str, tuple[str, ...]]:
    """The whole command of each server, by the name of its program."""
    options = {
        ETCD: _etcd_options(layout),
        API_SERVER: _api_options(layout),
        CONTROLLER_MANAGER: _controller_options(layout),
        SCHEDULER: _scheduler_options(layout),
    }
    return {
        program: (str(programs.path(program)), *(f"--{name}={value}" for name, value in values.items()))
        for program, values in options.items()
    }


def _etcd_options(layout: Layout) -> dict[str, str | Path]:
    client, peers = (f"http://{LOOPBACK}:{port}" for port in (layout.ports.etcd, layout.ports.etcd_peers))
    return {
        "data-dir": layout.folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": f"default={peers}",
        "unsafe-no-fsync": "true",  # the data is not to outlive the stack
        "log-level": "warn",
    }


def _api_options(layout: Layout) -> dict[str, str | Path]:
    keys = layout.keys
    return {
        **_server_options(layout, layout.ports.api),
        "advertise-address": LOOPBACK,
        "etcd-servers": f"http://{LOOPBACK}:{layout.ports.etcd}",
        "token-auth-file": layout.tokens,
        "audit-policy-file": Path(__file__).with_name("audit_policy.yaml"),
        "audit-log-path": layout.audit_log,
        "authorization-mode": "RBAC",
        "service-account-key-file": keys.accounts_public,
        "service-account-signing-key-file": keys.accounts,
        "service-account-issuer": _ISSUER,
        "service-cluster-ip-range": layout.services,
        # pods are processes of this machine: they get no token of a service account
        "disable-admission-plugins": "ServiceAccount",
        "kubelet-preferred-address-types": "InternalIP",  # a name would be asked of DNS
        # the Service "kubernetes" gets no endpoint: validation refuses a loopback address
        "endpoint-reconciler-type": "none",
    }


# the defaults stretch the start of some forty controllers over five seconds
_UNTHROTTLED: dict[str, str | Path] = {"kube-api-qps": "1000", "kube-api-burst": "2000"}


def _controller_options(layout: Layout) -> dict[str, str | Path]:
    return {
        **_server_options(layout, layout.ports.controllers),
        **_UNTHROTTLED,
        "kubeconfig": kubeconfig_path(layout.users, CONTROLLERS),
        "leader-elect": "false",
        # each controller acts under its own name, as the audit log of GKE shows it
        "use-service-account-credentials": "true",
        "service-account-private-key-file": layout.keys.accounts,
        "root-ca-file": layout.keys.authority,
        "cluster-name": CLUSTER,
    }


def _scheduler_options(layout: Layout) -> dict[str, str | Path]:
    return {
        **_server_options(layout, layout.ports.scheduler),
        "kubeconfig": kubeconfig_path(layout.users, SCHEDULING),
        "leader-elect": "false",
    }


def _server_options(layout: Layout, port: int) -> dict[str, str | Path]:
    return {
        "bind-address": LOOPBACK,
        "secure-port": str(port),
        "tls-cert-file": layout.keys.certificate,
        "tls-private-key-file": layout.keys.key,
        "profiling": "false",
    }
