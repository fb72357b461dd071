"""Which cluster a broker is read through: the one that is meant, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diag.app.tunnel import find_tunnel
from diag.errors import SourceError
from diag.model.settings import ClusterSettings, KafkaSettings, KubernetesSettings, LoggingSettings, Settings

PROD, STAGING = "gke_p_europe-west1_prod", "gke_q_europe-west1_staging"


def settings(monkeypatch: pytest.MonkeyPatch, folder: Path, current: str, **given: str) -> Settings:
    names = (PROD, STAGING, "kind-here")
    kubeconfig = {
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        "clusters": [{"name": name, "cluster": {"server": "https://127.0.0.1:1"}} for name in names],
        "users": [{"name": name, "user": {}} for name in names],
        "current-context": current,
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(kubeconfig), "utf-8")
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return Settings(
        logging=LoggingSettings(project=given.get("project", "")),
        cluster=ClusterSettings(name=given.get("cluster", "")),
        kubernetes=KubernetesSettings(context=given.get("context", "")),
        kafka=KafkaSettings("broker:9092", via=given.get("via", "port-forward")),
    )


@pytest.mark.parametrize(
    ("current", "given", "context"),
    [
        (STAGING, {"project": "p", "cluster": "prod"}, PROD),
        (STAGING, {}, STAGING),
        (PROD, {"context": "kind-here", "cluster": "prod"}, "kind-here"),
        ("kind-here", {}, "current context"),
        ("kind-here", {"project": "p"}, "current context"),
    ],
)
def test_the_tunnel_is_the_named_clusters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, current: str, given: dict[str, str], context: str
) -> None:
    """A context wins, then the cluster that is named, then what the kubeconfig is set to."""
    tunnel = find_tunnel(settings(monkeypatch, tmp_path, current, **given))

    assert tunnel is not None
    assert tunnel.name == f"the Kubernetes API ({context})"


@pytest.mark.parametrize(
    ("current", "given"),
    [
        (STAGING, {"project": "p", "cluster": "elsewhere"}),
        (STAGING, {"project": "nobodys"}),
        ("kind-here", {"project": "p", "cluster": "elsewhere"}),
    ],
)
def test_no_other_clusters_broker_is_read_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, current: str, given: dict[str, str]
) -> None:
    """What another cluster's broker has would be held against this session."""
    with pytest.raises(SourceError, match="no context for") as caught:
        find_tunnel(settings(monkeypatch, tmp_path, current, **given))

    assert "--context" in caught.value.hint


def test_straight_needs_no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody asked for a tunnel."""
    assert find_tunnel(settings(monkeypatch, tmp_path, PROD, via="")) is None
