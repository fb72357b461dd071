"""The cluster beside a session: which one is meant, and what becomes of one that can not be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from diag.app.cluster import Cluster
from diag.app.request import Request
from diag.model.coverage import SourceCoverage, State
from diag.model.settings import ClusterSettings, KubernetesSettings, LoggingSettings, Settings
from diag.sources.kube import find_fitting
from tests.kube_api import CONTEXT, ApiServer, run_api_server


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


async def cover(settings: Settings, **more: bool) -> SourceCoverage:
    async with Cluster(Request(settings=settings, now_ns=0, **more)) as cluster:
        await cluster.finish()
        return cluster.coverage()


def of_project(project: str = "shop", name: str = "", location: str = "", **kubernetes: str) -> Settings:
    return Settings(
        logging=LoggingSettings(project=project, endpoint="http://127.0.0.1:1"),
        cluster=ClusterSettings(name=name, location=location),
        kubernetes=KubernetesSettings(**kubernetes),
    )


async def test_a_cluster_that_was_found_and_fits_is_read(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody named it: the kubeconfig's context is of the project whose lines are read."""
    monkeypatch.setenv("KUBECONFIG", api.kubeconfig(tmp_path / "kube"))

    row = await cover(of_project())

    assert (row.state, row.asked) == (State.COMPLETE, f"{CONTEXT}, voice")


async def test_a_cluster_that_was_found_and_is_away_was_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason; one that somebody named has failed."""
    path = ApiServer(1).kubeconfig(tmp_path / "kube")
    monkeypatch.setenv("KUBECONFIG", path)

    found, named = await cover(of_project()), await cover(of_project(context=CONTEXT))

    assert (found.state, named.state) == (State.NOT_ASKED, State.FAILED)
    assert "refuses the connection" in found.notes[0]
    assert "refuses the connection" in named.notes[0]


async def test_without_a_kubeconfig_nothing_is_asked(api: ApiServer) -> None:
    """And how it would be."""
    row = await cover(of_project())

    assert row.state is State.NOT_ASKED
    assert "--context" in row.notes[0]


async def test_another_project_s_cluster_is_not_taken_for_this_one_s(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pods would be blamed for lines that are not theirs."""
    monkeypatch.setenv("KUBECONFIG", api.kubeconfig(tmp_path / "kube"))

    row = await cover(of_project("another"))

    assert row.state is State.NOT_ASKED
    assert api.asked == []


def write_contexts(path: Path, current: str, *names: str) -> None:
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in names]
    path.write_text(
        json.dumps(
            {
                "contexts": contexts,
                "current-context": current,
                "clusters": [{"name": "c", "cluster": {}}],
                "users": [],
            }
        )
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (of_project("shop"), "gke_shop_eu_voice"),
        (of_project("shop", "voice"), "gke_shop_eu_voice"),
        (of_project("shop", "web", "us"), "gke_shop_us_web"),
        (of_project("shop", "web", "eu"), ""),
        (of_project("bank"), ""),
        (of_project(""), "gke_shop_eu_voice"),
    ],
)
def test_the_context_that_fits_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, expected: str
) -> None:
    """The current one first; another one only where the cluster is named."""
    write_contexts(
        tmp_path / "kube",
        "gke_shop_eu_voice",
        "minikube",
        "gke_shop_us_web",
        "gke_shop_eu_voice",
        "gke_bank_eu_x",
    )
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kube"))

    assert find_fitting(settings) == expected


def test_a_context_of_no_cluster_of_google_s_is_not_found_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop's own cluster is nobody's production."""
    write_contexts(tmp_path / "kube", "minikube", "minikube")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kube"))

    assert find_fitting(of_project("shop")) == ""
