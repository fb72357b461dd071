"""Why a cluster can not be read: one line each, and what to do. Nothing crashes, no credential is told."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diag.errors import SourceError
from diag.model.cluster import ClusterFacts
from diag.model.settings import KubernetesSettings
from diag.sources.kube.reasons import explain_failure
from diag.sources.kube.source import read_cluster
from tests.kube_api import ApiServer, run_api_server


@pytest.fixture(autouse=True)
def quick_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failure is called does not change with the pause before the next question."""
    monkeypatch.setattr("diag.sources.kube.again._PAUSES_S", (0.01, 0.01))


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


async def read(kubeconfig: str, context: str = "", timeout_s: float = 30.0) -> ClusterFacts:
    return await read_cluster(KubernetesSettings(kubeconfig=kubeconfig, timeout_s=timeout_s), context, (), 0)


async def refusal(kubeconfig: str, **more: Any) -> str:
    with pytest.raises(SourceError) as refused:
        await read(kubeconfig, **more)
    assert "a-token" not in str(refused.value)
    return f"{refused.value} ({refused.value.hint})"


async def test_the_token_goes_to_the_server_and_the_namespace_comes_from_the_context(
    api: ApiServer, tmp_path: Path
) -> None:
    """Every list is asked for once, within bounds; no secret is among them."""
    facts = await read(api.kubeconfig(tmp_path / "kube"))

    paths = [path for path, _, _ in api.asked]
    assert facts.namespaces == ("voice",)
    assert len(paths) == len(set(paths)) == 10
    assert not any("secret" in path or "configmap" in path for path in paths)
    assert {token for _, _, token in api.asked} == {"Bearer a-token"}
    assert {query.get("limit") for path, query, _ in api.asked if path != "/version"} == {"500"}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"Unauthorized", "the credentials are refused or have expired"),
        (302, b"", "sends diag elsewhere (HTTP 302), which is not followed"),
        (200, b"<html>welcome</html>", "what answers there is no Kubernetes API"),
        (200, b"[]", "what answers there is no Kubernetes API"),
        (200, b"[" * 100_000, "what answers there is no Kubernetes API"),
        (403, b'{"message": "pods is forbidden"}', "not allowed"),
        (500, b"\xff\xfe", "HTTP 500 (no reason given)"),
        (500, b"[" * 100_000, "HTTP 500 (no reason given)"),
        (404, b"{}", "this cluster does not have them"),
        (429, b'{"message": "too many requests, password=hunter2hunter2"}', "HTTP 429 (too many requests"),
    ],
)
async def test_whatever_a_server_answers_is_a_reason(
    api: ApiServer, tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    """And a redirect never takes the token along."""
    api.otherwise = lambda _: (status, body)

    told = await refusal(api.kubeconfig(tmp_path / "kube"))

    assert words in told
    assert "hunter2" not in told
    assert not any(path == "/elsewhere" for path, _, _ in api.asked)


async def test_a_file_of_a_token_may_end_with_a_line_s_end(api: ApiServer, tmp_path: Path) -> None:
    """Most do."""
    (tmp_path / "token").write_text("a-token\n")

    await read(api.kubeconfig(tmp_path / "kube", tokenFile=str(tmp_path / "token")))

    assert {token for _, _, token in api.asked} == {"Bearer a-token"}


@pytest.mark.parametrize("token", ["a-token\nb", "a-token \u20ac", "a-token\x00"])
async def test_a_token_that_no_header_can_hold_is_neither_sent_nor_repeated(
    api: ApiServer, tmp_path: Path, token: str
) -> None:
    """The library would tell what it refuses to send."""
    told = await refusal(api.kubeconfig(tmp_path / "kube", token=token))

    assert "holds characters that no token has" in told
    assert not api.asked


async def test_a_server_that_is_away_refuses_the_connection(tmp_path: Path) -> None:
    """At once: it is not tried again and again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        told = await refusal(ApiServer(taken.getsockname()[1]).kubeconfig(tmp_path / "kube"))

    assert "refuses the connection (is the cluster up" in told


async def test_a_server_that_says_nothing_has_its_time(tmp_path: Path) -> None:
    """It listens, and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(20)
        told = await refusal(ApiServer(silent.getsockname()[1]).kubeconfig(tmp_path / "kube"), timeout_s=0.3)

    assert "did not answer within 0.3 s" in told


async def test_a_server_without_tls_where_tls_is_asked_for(api: ApiServer, tmp_path: Path) -> None:
    """The other protocol on the port."""
    path = Path(api.kubeconfig(tmp_path / "kube"))
    path.write_text(path.read_text("utf-8").replace("http://", "https://"), "utf-8")

    assert "speaks no TLS on this port" in await refusal(str(path))


def exec_login(command: str, *words: str) -> dict[str, Any]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command, "args": words}}


async def test_a_plugin_that_is_not_installed_is_named_with_its_remedy(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commonest reason on a new laptop; the library itself would only write a line to stderr."""
    monkeypatch.setenv("PATH", str(tmp_path))
    told = await refusal(api.kubeconfig(tmp_path / "kube", **exec_login("gke-gcloud-auth-plugin")))

    assert "gke-gcloud-auth-plugin, which the kubeconfig logs in by, is not installed" in told
    assert "gcloud components install gke-gcloud-auth-plugin" in told
    assert api.asked == []


async def test_a_login_that_fails_says_why_and_writes_nothing(
    api: ApiServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own words, redacted, on one line."""
    script = "echo 'please log in again' >&2; echo token=abcdefghijklmnop1234 >&2; exit 1"
    told = await refusal(api.kubeconfig(tmp_path / "kube", **exec_login("sh", "-c", script)))

    assert "failed (exec: process returned 1. please log in again" in told
    assert "abcdefghijklmnop1234" not in told
    assert capfd.readouterr() == ("", "")


async def test_a_login_beside_the_kubeconfig_is_found_there(api: ApiServer, tmp_path: Path) -> None:
    """As kubectl takes a path that is not absolute, wherever diag was called."""
    said = '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "x", "status": {"token": "its"}}'
    (tmp_path / "login").write_text(f"#!/bin/sh\necho '{said}'\n", "utf-8")
    (tmp_path / "login").chmod(0o755)

    await read(api.kubeconfig(tmp_path / "kube", **exec_login("./login")))

    assert {token for _, _, token in api.asked} == {"Bearer its"}


async def test_an_auth_provider_that_fails_is_a_login_that_failed(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a library of its own, with errors of its own: kubeconfigs of before 2023 name one."""

    def fail(_: object) -> None:
        raise RuntimeError("no credentials, password=hunter2hunter2")

    monkeypatch.setattr("kubernetes.config.kube_config.KubeConfigLoader._load_authentication", fail)
    told = await refusal(api.kubeconfig(tmp_path / "kube", **{"auth-provider": {"name": "gcp"}}))

    assert "failed (by auth-provider gcp: no credentials" in told
    assert "hunter2" not in told
    assert "get-credentials" in told


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ({"server": ""}, "names no server"),
        ({"server": "https://[::"}, "can be used (Invalid IPv6"),
        ({"certificate-authority-data": "bm8gUEVN"}, "kubeconfig holds can not be used (no certificate"),
    ],
)
async def test_a_cluster_that_can_not_be_asked_is_no_fault_of_the_network(
    api: ApiServer, tmp_path: Path, cluster: dict[str, str], words: str
) -> None:
    """What is wrong is in the file, and the words say so."""
    path = Path(api.kubeconfig(tmp_path / "kube"))
    config = json.loads(path.read_text("utf-8"))
    config["clusters"][0]["cluster"] = {"server": f"https://127.0.0.1:{api.port}", **cluster}
    path.write_text(json.dumps(config), "utf-8")

    assert words in await refusal(str(path))
    assert api.asked == []


async def test_a_server_without_a_scheme_is_asked(api: ApiServer, tmp_path: Path) -> None:
    """As kubectl does, and without a warning of the library's on stderr."""
    path = Path(api.kubeconfig(tmp_path / "kube"))
    path.write_text(path.read_text("utf-8").replace("http://", ""), "utf-8")

    assert (await read(str(path))).requests == 10


@pytest.mark.parametrize(
    "said", ["SSLV3_ALERT_CERTIFICATE_EXPIRED", "TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA"]
)
def test_a_certificate_of_the_login_that_is_refused_is_no_lack_of_tls(said: str) -> None:
    """The server speaks TLS well enough to say what it thinks of it."""
    error = ssl.SSLError(1, f"[SSL: {said}] {said.lower().replace('_', ' ')} (_ssl.c:2580)")

    told = explain_failure(error, "voice", 1.0)

    assert "the certificate of the login is missing, refused or expired" in str(told)
    assert "_ssl.c" not in str(told)


async def test_a_login_that_never_ends_is_left(api: ApiServer, tmp_path: Path) -> None:
    """It may wait for an answer that nobody gives."""
    path = api.kubeconfig(tmp_path / "kube", **exec_login("sh", "-c", "exec sleep 20 <&- >&- 2>&-"))

    assert "did not end within 0.4 s" in await refusal(path, timeout_s=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "{{{",
        "[]",
        "\x00",
        "contexts: 7",
        "current-context: y",
        "null",
        "clusters: [7]",
        "users: 1",
        "[" * 5000,
    ],
)
async def test_a_kubeconfig_that_is_none_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    """Whatever stands in it."""
    (tmp_path / "kube").write_text(text)

    assert str(tmp_path / "kube") in await refusal(str(tmp_path / "kube"))


async def test_a_context_that_is_not_there_is_named_with_those_that_are(
    api: ApiServer, tmp_path: Path
) -> None:
    """A slip of the pen costs no search."""
    told = await refusal(api.kubeconfig(tmp_path / "kube"), context="gke_shop_europe-west1_voise")

    assert "has no context 'gke_shop_europe-west1_voise'" in told
    assert "gke_shop_europe-west1_voice" in told


async def test_the_kubeconfig_is_never_written(api: ApiServer, tmp_path: Path) -> None:
    """It is the user's, and only read."""
    path = Path(api.kubeconfig(tmp_path / "kube"))
    before = path.read_bytes()
    path.chmod(0o400)
    await read(str(path))

    assert path.read_bytes() == before


JUNK = [
    None,
    7,
    "x",
    [],
    {},
    [[]],
    {"metadata": 7},
    {"metadata": {"name": 9, "labels": [1], "ownerReferences": 3}},
]


async def test_objects_of_any_shape_are_read_as_far_as_they_go(api: ApiServer, tmp_path: Path) -> None:
    """A cluster's objects are anybody's: custom servers, old versions, and those who mean harm."""
    deep = {
        "metadata": {"name": "x", "creationTimestamp": "yesterday"},
        "spec": {
            "template": {
                "spec": {"containers": [None, {"image": 7, "env": [3], "livenessProbe": {"httpGet": []}}]}
            }
        },
        "status": {
            "containerStatuses": [7, {"state": 3, "lastState": {"terminated": []}}],
            "conditions": [1],
        },
    }
    api.otherwise = lambda _: (200, json.dumps({"items": [*JUNK, deep], "metadata": []}).encode())

    facts = await read(api.kubeconfig(tmp_path / "kube"))

    assert facts.unread == ()
    assert len(facts.pods) == len(JUNK) + 1


async def test_a_list_that_never_ends_is_left_after_so_many_pages(api: ApiServer, tmp_path: Path) -> None:
    """A server that always has one more page does not keep diag."""
    api.otherwise = lambda _: (200, b'{"items": [{}], "metadata": {"continue": "more"}}')

    facts = await read(api.kubeconfig(tmp_path / "kube"))

    assert {one.what for one in facts.unread} >= {"pods", "events"}
    assert len(api.asked) < 200


async def test_secrets_in_events_are_replaced(api: ApiServer, tmp_path: Path) -> None:
    """A message is whatever a program printed."""
    event = {"reason": "BackOff", "message": "login with password=hunter2hunter2 failed for a@b.example"}
    api.lists("/api/v1/namespaces/voice/events", event)

    (found,) = (await read(api.kubeconfig(tmp_path / "kube"))).events

    assert "hunter2" not in found.text
    assert "a@b.example" not in found.text


async def test_secrets_in_addresses_are_replaced(api: ApiServer, tmp_path: Path) -> None:
    """Of a probe, and of an image that somebody wrote as one."""
    probe = {"httpGet": {"path": "/healthz?token=hunter2hunter2", "port": 80}}
    container = {
        "name": "c",
        "image": "https://me:hunter2hunter2@registry.example/c:1",
        "livenessProbe": probe,
    }
    spec = {"replicas": 1, "template": {"spec": {"containers": [container]}}}
    api.lists("/apis/apps/v1/namespaces/voice/deployments", {"metadata": {"name": "o"}, "spec": spec})

    (found,) = (await read(api.kubeconfig(tmp_path / "kube"))).workloads

    assert "hunter2" not in str(found)
    assert found.containers[0].image.endswith("@registry.example/c:1")
    assert found.containers[0].probes[0].path.startswith("/healthz?token=")
