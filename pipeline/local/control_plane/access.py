"""Who may ask the control plane: users with tokens of one life, and a kubeconfig file for each.

The context of a kubeconfig is called as ``gcloud container clusters get-credentials`` calls it, so that
whoever reads the project and the cluster off its name finds those of the stack.
"""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.state import CLUSTER, LOCATION, NAMESPACE, NODE_NAME, PROJECT

CONTEXT = f"gke_{PROJECT}_{LOCATION}_{CLUSTER}"
_MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    """One user: the name of the kubeconfig file, the name in the audit log, the groups."""

    file: str
    name: str
    groups: tuple[str, ...] = ()


ADMIN = User("admin", "admin@voice-agent.example", (_MASTERS,))
"""May do everything, as the owner of a project may."""

VIEWER = User("viewer", "viewer@voice-agent.example")
"""May read what the cluster role ``view`` lets read, in all namespaces: no secrets, no nodes."""

OUTSIDER = User("outsider", "outsider@voice-agent.example")
"""Is known and may do nothing."""

CONTROLLERS = User("controllers", "system:kube-controller-manager")
SCHEDULING = User("scheduling", "system:kube-scheduler")


KUBELET = User("kubelet", f"system:node:{NODE_NAME}", ("system:nodes", _MASTERS))
"""May do everything: the stack's kubelet stands in for kube-proxy and cluster DNS, too."""

EXPORTER = User("exporter", "system:gke-event-exporter", (_MASTERS,))
"""Watches events."""

USERS = (ADMIN, VIEWER, OUTSIDER, CONTROLLERS, SCHEDULING, KUBELET, EXPORTER)


def make_tokens(users: Iterable[User], file: Path) -> dict[User, str]:
    """A new token for each of `users`; `file` gets what the API server reads them from."""
    tokens = {user: secrets.token_urlsafe(32) for user in users}
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(
            (token, user.name, user.name, ",".join(user.groups)) for user, token in tokens.items()
        )
    return tokens


def write_kubeconfigs(folder: Path, server: str, authority: Path, tokens: Mapping[User, str]) -> None:
    """A kubeconfig for each user, at `kubeconfig_path`; only its owner can read it."""
    folder.mkdir(mode=0o700)
    for user, token in tokens.items():
        path = kubeconfig_path(folder, user)
        path.touch(mode=0o600)
        path.write_text(json.dumps(_build_kubeconfig(server, authority, user, token), indent=2), "utf-8")


def kubeconfig_path(folder: Path, user: User) -> Path:
    """Where the kubeconfig of `user` is. JSON is YAML, so every client reads it."""
    return folder / f"{user.file}.kubeconfig"


def _build_kubeconfig(server: str, authority: Path, user: User, token: str) -> dict[str, object]:
    cluster = {"server": server, "certificate-authority": str(authority)}
    context = {"cluster": CONTEXT, "user": user.name, "namespace": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": user.name, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": context}],
        "current-context": CONTEXT,
    }
