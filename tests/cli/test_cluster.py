"""``diag cluster``: what ran, as a person and as a program hear of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.kube_api import ApiServer, run_api_server

SCHEMA = json.loads(resources.files("diag.render").joinpath("cluster_v1.schema.json").read_text("utf-8"))
APPS, CORE = "/apis/apps/v1/namespaces/voice", "/api/v1/namespaces/voice"
DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTILE = "\x1b[31mred\u202e <script>alert(1)</script> | `x`\n# heading"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


def of(kind: str, name: str, made: str, owner: str = "", **more: Any) -> dict[str, Any]:
    owners = [{"uid": owner, "name": owner, "controller": True}] if owner else []
    metadata = {
        "name": name, "namespace": "voice", "uid": name, "creationTimestamp": made, "ownerReferences": owners,
        "annotations": more.pop("annotations", {}), "labels": more.pop("labels", {}),
    }  # fmt: skip
    return {"kind": kind, "metadata": metadata, **more}


def serve(api: ApiServer) -> None:
    """An orchestrator that was rolled out at 12:00, and restarted at 12:07; an event that means harm."""
    image = "voice-agent/orchestrator"
    old, new = ({"spec": {"containers": [{"name": "orchestrator", "image": f"{image}:{n}"}]}} for n in (1, 2))
    api.lists(
        f"{APPS}/deployments",
        of(
            "Deployment", "orchestrator", "2026-11-20T08:00:00Z",
            spec={"replicas": 1, "template": new}, status={"readyReplicas": 1},
        ),
    )  # fmt: skip
    number = "deployment.kubernetes.io/revision"
    api.lists(
        f"{APPS}/replicasets",
        of("ReplicaSet", "orchestrator-aaaaaaaaaa", "2026-11-20T08:00:00Z", "orchestrator",
           annotations={number: "1"}, spec={"template": old}),
        of("ReplicaSet", "orchestrator-bbbbbbbbbb", "2026-11-23T12:00:00Z", "orchestrator",
           annotations={number: "2"}, spec={"template": new}),
    )  # fmt: skip
    status = {
        "phase": "Running", "startTime": "2026-11-23T12:00:02Z",
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T12:07:10Z"}],
        "containerStatuses": [{
            "name": "orchestrator", "imageID": f"{image}@{DIGEST}", "restartCount": 1, "ready": True,
            "state": {"running": {"startedAt": "2026-11-23T12:07:05Z"}},
            "lastState": {"terminated": {
                "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T12:07:00Z"}},
        }],
    }  # fmt: skip
    api.lists(
        f"{CORE}/pods",
        of("Pod", "orchestrator-bbbbbbbbbb-x2k4p", "2026-11-23T12:00:01Z", "orchestrator-bbbbbbbbbb",
           spec=new["spec"], status=status),
    )  # fmt: skip
    api.lists(
        f"{CORE}/services",
        of(
            "Service",
            "orchestrator",
            "2026-11-20T08:00:00Z",
            spec={"selector": {"a": "b"}, "ports": [{"port": 80}]},
        ),
    )
    api.lists(
        f"{CORE}/events",
        of("Event", "e1", "2026-11-23T12:07:01Z", type="Warning", reason="BackOff", message=HOSTILE, count=4,
           firstTimestamp="2026-11-23T12:07:01Z", lastTimestamp="2026-11-23T12:07:04Z",
           involvedObject={"kind": "Pod", "namespace": "voice", "name": "orchestrator-bbbbbbbbbb-x2k4p"}),
    )  # fmt: skip
    api.says("/version", {"gitVersion": "v1.36.3"})


def look(diag, api: ApiServer, workdir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``diag cluster`` of this server, which stands for the GKE API, too."""
    endpoint = f"http://127.0.0.1:{api.port}"
    kubeconfig = api.kubeconfig(workdir / "kube")
    return diag("cluster", "--kubeconfig", kubeconfig, *words, DIAG_KUBERNETES_GKE_ENDPOINT=endpoint)


WINDOW = ("--since", "2026-11-23T12:05:00Z", "--until", "2026-11-23T12:10:00Z")


def test_the_window_s_revision_restart_digest_and_warning_are_shown(
    diag, api: ApiServer, workdir: Path
) -> None:
    """In 80 columns, without a character that a terminal obeys."""
    serve(api)
    done = look(diag, api, workdir, *WINDOW)

    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in (
        "revision 2 orchestrator-bbbbbbbbbb since 23 Nov 12:00:00",
        "voice-agent/orchestrator:2",
        "12:07:00 orchestrator ended: OOMKilled, exit 137",
        "sha256:0123456789ab..",
        "BackOff              pod/orchestrator-bbbbbbbbbb-x2k4p x4",
        "kubernetes complete: 1 workload, 1 pod, 1 service",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "\\x1b[31mred\\u202e" in done.stdout


def test_what_ran_yesterday_is_not_what_runs_now(diag, api: ApiServer, workdir: Path) -> None:
    """The old revision, and the one of now beside it; no pod of today."""
    serve(api)
    window = ("--since", "2026-11-22T12:00:00Z", "--until", "2026-11-22T13:00:00Z")
    done = look(diag, api, workdir, *window, "-o", "json")
    found = json.loads(done.stdout)

    (workload,) = found["workloads"]
    (revision,) = workload["in_force"]
    assert (revision["revision"], revision["images"]) == (
        "orchestrator-aaaaaaaaaa",
        ["voice-agent/orchestrator:1"],
    )
    assert (workload["revision_now"], found["pods"], found["events"]) == ("orchestrator-bbbbbbbbbb", [], [])


def test_the_answer_for_machines_is_of_its_schema_and_always_the_same(
    diag, api: ApiServer, workdir: Path
) -> None:
    """Sorted, but for when it was read."""
    serve(api)
    first, second = (json.loads(look(diag, api, workdir, "-o", "json").stdout) for _ in range(2))

    jsonschema.validate(first, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert {**first, "query": None} == {**second, "query": None}
    assert first["pods"][0]["images"] == [f"voice-agent/orchestrator:2@{DIGEST}"]
    assert first["services"][0]["endpoints"] == {"ready": 0, "not_ready": 0, "serving": 0, "terminating": 0}


def test_markdown_holds_no_markup_of_others(diag, api: ApiServer, workdir: Path) -> None:
    """A table's cell stays one cell."""
    serve(api)
    done = look(diag, api, workdir, "-o", "markdown")

    assert done.returncode == 0
    assert "<script>" not in done.stdout
    assert "\n# heading" not in done.stdout
    assert "| BackOff | `pod/orchestrator-bbbbbbbbbb-x2k4p` | 4 |" in done.stdout


def test_exit_codes_tell_what_was_missing(diag, api: ApiServer, workdir: Path) -> None:
    """3 nothing there, 5 a part, 4 nothing to be had, 2 wrong usage."""
    assert look(diag, api, workdir).returncode == 3
    serve(api)
    api.says(f"{CORE}/events", {"message": "no"}, 403)
    partial = look(diag, api, workdir)
    assert partial.returncode == 5
    assert "events in voice: not allowed; grant list events: the role view has it" in " ".join(
        partial.stdout.split()
    )
    api.answers.clear()
    api.otherwise = lambda _: (401, b"")
    failed = look(diag, api, workdir)
    assert (failed.returncode, failed.stdout) == (4, "")
    assert "the credentials are refused or have expired" in failed.stderr
    assert look(diag, api, workdir, "--until", "2h").returncode == 2


def test_without_a_kubeconfig_it_says_how_to_get_one(diag) -> None:
    """One line, exit 4."""
    done = diag("cluster")

    assert (done.returncode, done.stdout) == (4, "")
    assert "get-credentials" in done.stderr


def test_logs_that_go_nowhere_are_said_in_red_letters(diag, api: ApiServer, workdir: Path) -> None:
    """The cluster's own setting, from the GKE API."""
    serve(api)
    api.says(
        "/v1/projects/shop/locations/europe-west1/clusters/voice",
        {"loggingConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]}}},
    )
    done = look(diag, api, workdir)
    found = json.loads(look(diag, api, workdir, "-o", "json").stdout)

    assert "log export off: loggingConfig has SYSTEM_COMPONENTS: what containers write" in " ".join(
        done.stdout.split()
    )
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert found["log_export"]["state"] == "off"
