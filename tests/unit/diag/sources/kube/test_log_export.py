"""Whether a cluster's logs are exported: by the GKE API, or suspected from silence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diag.cluster.export import infer_export
from diag.errors import SettingsError
from diag.model.cluster import ClusterFacts, Pod
from diag.model.cluster_view import Export, LogExport
from diag.model.settings import ClusterSettings, KubernetesSettings, LoggingSettings, Settings
from diag.sources.kube.log_export import ask_log_export
from tests.kube_api import ApiServer, run_api_server

PATH = "/v1/projects/shop/locations/europe-west1/clusters/voice"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


def settings(api: ApiServer, **cluster: str) -> Settings:
    return Settings(
        logging=LoggingSettings(project="shop"),
        cluster=ClusterSettings(**{"name": "voice", "location": "europe-west1", **cluster}),
        kubernetes=KubernetesSettings(gke_endpoint=f"http://127.0.0.1:{api.port}", timeout_s=20),
    )


@pytest.mark.parametrize(
    ("components", "state"),
    [(["SYSTEM_COMPONENTS", "WORKLOADS"], Export.ON), (["SYSTEM_COMPONENTS"], Export.OFF), ([], Export.OFF)],
)
def test_the_api_s_word_decides(api: ApiServer, components: list[str], state: Export) -> None:
    """WORKLOADS is what containers write; only this field is asked for, without a credential on the way."""
    api.says(PATH, {"loggingConfig": {"componentConfig": {"enableComponents": components}}})

    found = ask_log_export(settings(api))

    assert (found.state, found.components, found.inferred) == (state, tuple(sorted(components)), False)
    assert api.asked == [(PATH, {"fields": "loggingConfig"}, "")]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b'{"error": {"message": "no"}, "message": "denied"}', "roles/container.clusterViewer"),
        (429, b'{"error": {"code": 429, "message": "Quota exceeded"}}', "HTTP 429 (Quota exceeded)"),
        (404, b"", "HTTP 404 (no reason given)"),
        (302, b"", "HTTP 302"),
        (200, b"<html>", "has no loggingConfig"),
        (200, b"{}", "has no loggingConfig"),
        (200, b"[" * 100_000, "has no loggingConfig"),
        (500, b"[" * 100_000, "HTTP 500 (no reason given)"),
    ],
)
def test_what_can_not_be_asked_is_not_known(api: ApiServer, status: int, body: bytes, words: str) -> None:
    """And why."""
    api.answers[PATH] = lambda _: (status, body)

    found = ask_log_export(settings(api))

    assert found.state is Export.UNKNOWN
    assert words in found.note


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_api_is_asked_again(api: ApiServer, status: int) -> None:
    """What it says then counts."""
    said = [
        (status, b""),
        (200, b'{"loggingConfig": {"componentConfig": {"enableComponents": ["WORKLOADS"]}}}'),
    ]
    api.answers[PATH] = lambda _: said.pop(0)

    assert ask_log_export(settings(api)).state is Export.ON
    assert len(api.asked) == 2


def test_a_cluster_of_which_the_location_is_not_known_can_not_be_asked_for(api: ApiServer) -> None:
    """Its name alone names none."""
    assert ask_log_export(settings(api, location="")).state is Export.UNKNOWN
    assert api.asked == []


def test_without_tls_only_this_machine_is_asked(api: ApiServer) -> None:
    """What it says decides what is believed of logs."""
    given = settings(api)
    other = Settings(given.logging, given.cluster, KubernetesSettings(gke_endpoint="http://10.0.0.1:80"))

    with pytest.raises(SettingsError):
        ask_log_export(other)


UNKNOWN = LogExport(Export.UNKNOWN, note="no right to ask")
RUNNING = ClusterFacts("x", 0, pods=(Pod("voice", "a", "Running"), Pod("voice", "b", "Pending")))


def test_silence_of_pods_that_run_is_a_suspicion_and_entries_are_the_contrary() -> None:
    """Where the API told, nothing is guessed; where nothing runs, nothing is suspected."""
    assert infer_export(UNKNOWN, RUNNING, 0).state is Export.OFF
    assert infer_export(UNKNOWN, RUNNING, 0).inferred
    assert infer_export(UNKNOWN, RUNNING, 7).state is Export.ON
    assert infer_export(UNKNOWN, ClusterFacts("x", 0), 0) == UNKNOWN
    told = LogExport(Export.ON, ("WORKLOADS",))
    assert infer_export(told, RUNNING, 0) == told
