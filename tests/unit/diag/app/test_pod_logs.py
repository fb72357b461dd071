"""The same session from the pods' own logs: the timeline is that of the log service."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diag.app.plan import plan_sessions
from diag.app.pod_logs import explain_instead
from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S, format_instant, parse_instant
from diag.model.overview import Overview
from diag.model.queries import LogQuery
from diag.model.settings import KubernetesSettings, LoggingSettings, Settings
from diag.model.window import Window
from diag.sources.kube import logs
from tests.cases import START_NS, read_case_file
from tests.contract.logging_server import run_server
from tests.kube_api import ApiServer, run_api_server

CASE = Path(__file__).parents[3] / "checks/turn-no-reply/fires-withheld.case"
SESSION = "session_1753615601372_cz4gw0fl5"
LATER_NS = START_NS + 3600 * NS_PER_S
PODS = "/api/v1/namespaces/voice/pods"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


def pod(name: str, container: str, restarts: int = 0) -> dict[str, Any]:
    running = {"running": {"startedAt": "2025-07-27T10:00:00Z"}}
    return {
        "metadata": {"name": name, "namespace": "voice", "creationTimestamp": "2025-07-27T10:00:00Z"},
        "spec": {"containers": [{"name": container, "image": f"voice-agent/{container}:1"}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": container, "restartCount": restarts, "state": running}],
        },
    }


def to_line(entry: dict[str, Any]) -> str:
    """What the container wrote: the agent took the trace out of it."""
    payload = dict(entry["jsonPayload"])
    if "trace" in entry:
        payload["logging.googleapis.com/trace"] = entry["trace"]
    return f"{entry['timestamp']} {json.dumps(payload)}"


def serve_case(api: ApiServer) -> list[dict[str, Any]]:
    """A pod with its log for each pod that a case's entries name; gives the entries."""
    entries = [dict(entry) for entry in read_case_file(CASE).entries]
    logs = defaultdict[tuple[str, str], list[str]](list)
    for entry in sorted(entries, key=lambda one: one["timestamp"]):
        labels = entry["resource"]["labels"]
        logs[labels["pod_name"], labels["container_name"]].append(to_line(entry))
    api.lists(PODS, *(pod(*names) for names in logs), pod("billing-5c9b7f6d84-abcde", "billing"))
    for (name, _), lines in logs.items():
        api.says(f"{PODS}/{name}/log", "".join(f"{line}\n" for line in lines).encode())
    return entries


def ask(kubeconfig: str, source: str = "kubernetes", **more: Any) -> SessionRequest:
    settings = Settings(
        logging=LoggingSettings(source=source),
        kubernetes=KubernetesSettings(kubeconfig=kubeconfig, timeout_s=30),
    )
    return SessionRequest(asked=SESSION, settings=settings, now_ns=LATER_NS, **more)


async def diagnose(request: SessionRequest) -> Diagnosis:
    found = await diagnose_session(request)
    assert isinstance(found, Diagnosis)
    return found


def tell(diagnosis: Diagnosis) -> list[tuple[object, ...]]:
    return [(e.time_ns, e.entry.service, e.entry.pod, e.name, e.text) for e in diagnosis.session.events]


async def test_pods_and_the_log_service_tell_the_same_session(api: ApiServer, workdir: Path) -> None:
    """Times, services, pods, events, texts, findings and verdict."""
    entries = serve_case(api)
    (workdir / "export.ndjson").write_text("".join(json.dumps(entry) + "\n" for entry in entries))

    nodes = await diagnose(ask(api.kubeconfig(workdir / "kube")))
    export = await diagnose(
        SessionRequest(asked=SESSION, settings=Settings(), now_ns=LATER_NS, files=("export.ndjson",))
    )

    assert len(tell(nodes)) > 5
    assert tell(nodes) == tell(export)
    assert nodes.verdict.status == export.verdict.status
    assert {finding.slug for finding in nodes.findings} == {finding.slug for finding in export.findings}


async def test_each_pod_of_a_known_service_is_read_once_from_the_window_on(
    api: ApiServer, workdir: Path
) -> None:
    """Of pods that nobody knows nothing is read; what was read is not asked for again."""
    serve_case(api)

    diagnosis = await diagnose(ask(api.kubeconfig(workdir / "kube")))

    logs = [(path, query) for path, query, _ in api.asked if path.endswith("/log")]
    assert not any("billing" in path for path, _ in logs)
    assert all(query["timestamps"] == "true" and int(query["limitBytes"]) > 0 for _, query in logs)
    since = {(path, query["sinceTime"]) for path, query in logs}
    assert len(since) == len(logs)
    row = diagnosis.coverage.find("pod-logs")
    assert row is not None
    assert (row.state, diagnosis.coverage.find("cloud-logging")) == (State.COMPLETE, None)
    cluster = diagnosis.coverage.find("kubernetes")
    assert cluster is not None
    assert cluster.state is State.COMPLETE


async def test_the_log_before_a_restart_is_read_and_what_is_lost_is_said(
    api: ApiServer, workdir: Path
) -> None:
    """A node keeps two."""
    serve_case(api)
    name = "orchestrator-5c9b7f6d84-zzzzz"
    line = (
        f'{format_instant(START_NS + NS_PER_S)} {{"message": "Loaded", "session_id": "{SESSION}"}}\n'.encode()
    )
    refused = b'{"message": "previous terminated container not found"}'
    api.lists(PODS, pod(name, "orchestrator", restarts=3))
    api.answers[f"{PODS}/{name}/log"] = lambda query: (400, refused) if "previous" in query else (200, line)

    diagnosis = await diagnose(ask(api.kubeconfig(workdir / "kube")))

    row = diagnosis.coverage.find("pod-logs")
    assert row is not None
    assert row.state is State.PARTIAL
    assert (
        f"pod/voice/{name}/orchestrator/previous: the node does not keep it any more; ask Cloud Logging"
        in row.notes
    )
    assert any("2 runs before the last two are lost" in note for note in row.notes)


async def test_a_right_that_is_missing_for_logs_is_named(api: ApiServer, workdir: Path) -> None:
    """Pods may be listed, their logs not be read."""
    serve_case(api)
    for path in [path for path in api.answers if path.endswith("/log")]:
        api.says(path, {"message": 'pods "x" is forbidden: User "me" cannot get resource "pods/log"'}, 403)

    found = await diagnose_session(ask(api.kubeconfig(workdir / "kube")))

    row = found.coverage.find("pod-logs")
    assert row is not None
    assert row.state is State.PARTIAL
    assert "pods/log in voice: not allowed (as me); grant get pods/log: the role view has it" in row.notes[0]


async def test_a_log_that_is_too_long_is_cut_and_said(api: ApiServer, workdir: Path) -> None:
    """Within the window; what comes after it is no loss."""
    serve_case(api)
    name = next(path for path in api.answers if path.endswith("/log"))
    many = "".join(
        f"{format_instant(START_NS + n * NS_PER_S)} line {'x' * 900}\n" for n in range(3000)
    ).encode()
    api.answers[name] = lambda query: (200, many[: int(query["limitBytes"])])
    request = ask(api.kubeconfig(workdir / "kube"))

    cut = await diagnose_session(_with_kb(request, 100))
    enough = await diagnose_session(_with_kb(request, 2000))

    problems = cut.coverage.find("pod-logs")
    assert problems is not None
    assert any("more than 100 KB" in note for note in problems.notes)
    whole = enough.coverage.find("pod-logs")
    assert whole is not None
    assert not any("more than" in note for note in whole.notes)


def _with_kb(request: SessionRequest, log_kb: int) -> SessionRequest:
    kubernetes = replace(request.settings.kubernetes, log_kb=log_kb)
    return replace(request, settings=replace(request.settings, kubernetes=kubernetes))


async def test_with_files_no_cluster_is_read_unless_a_flag_names_it(api: ApiServer, workdir: Path) -> None:
    """The settings file alone does not do it."""
    entries = serve_case(api)
    (workdir / "export.ndjson").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    path = api.kubeconfig(workdir / "kube")

    without = await diagnose(ask(path, "", files=("export.ndjson",), ask_cluster=False))
    assert api.asked == []
    beside = await diagnose(ask(path, "", files=("export.ndjson",)))

    assert without.cluster is None
    row = without.coverage.find("kubernetes")
    assert row is not None
    assert (row.state, "--context" in row.notes[0]) == (State.NOT_ASKED, True)
    assert beside.cluster is not None
    assert {pod.state for pod in beside.cluster.pods} == {"not ready"}
    assert not any(path.endswith("/log") for path, _, _ in api.asked)


def test_the_case_has_times_that_can_be_read() -> None:
    """What the tests above stand on."""
    assert all(parse_instant(entry["timestamp"]) for entry in read_case_file(CASE).entries)


@pytest.mark.parametrize(
    ("state", "narrowed", "why"),
    [
        (State.COMPLETE, False, "no entry of the window is there: "),
        (State.PARTIAL, True, "no entry of the window is what --where asks for: "),
        (State.FAILED, False, "it could not be read: "),
        (State.FAILED, True, "it could not be read: "),
    ],
)
def test_why_the_nodes_were_asked_is_no_more_than_what_is_known(
    state: State, narrowed: bool, why: str
) -> None:
    """A service that refused, or was asked for a part, may well have entries."""
    row = explain_instead(SourceCoverage("cloud-logging", state), narrowed=narrowed)

    assert row.notes[-1].startswith(why)


async def test_the_plan_of_all_sessions_knows_that_nodes_are_asked(workdir: Path) -> None:
    """And not Cloud Logging, of which nobody named a project."""
    settings = ask(str(workdir / "kube")).settings

    plan = await plan_sessions(SessionsRequest(settings=settings, now_ns=LATER_NS))

    assert not plan.queries
    assert any("read from their nodes" in note for note in plan.notes)


async def list_all(request: SessionRequest, **changes: Any) -> Overview:
    window = {"since_ns": START_NS - 60 * NS_PER_S, "until_ns": LATER_NS}
    return await list_sessions(
        SessionsRequest(settings=request.settings, now_ns=LATER_NS, **{**window, **changes})
    )


async def test_all_sessions_of_a_window_come_from_the_pods(api: ApiServer, workdir: Path) -> None:
    """Those that the same lines in a file have, each with its verdict; a text is found in them, too."""
    entries = serve_case(api)
    (workdir / "export.ndjson").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    request = ask(api.kubeconfig(workdir / "kube"))

    nodes = await list_all(request)
    export = await list_all(request, files=("export.ndjson",))
    found = await list_all(request, sought=SESSION[-9:])

    assert [(one.id, one.entries, one.turns) for one in nodes.sessions] == [
        (one.id, one.entries, one.turns) for one in export.sessions
    ]
    assert SESSION in {one.id for one in found.sessions}
    row = nodes.coverage.find("pod-logs")
    assert row is not None
    assert (row.state, row.entries) == (State.COMPLETE, len(entries))


async def test_pods_that_are_younger_than_the_window_are_said(api: ApiServer, workdir: Path) -> None:
    """What ran in their place before is gone, and its lines with it: the list may lack sessions."""
    serve_case(api)

    overview = await list_all(
        ask(api.kubeconfig(workdir / "kube")), since_ns=parse_instant("2025-07-27T09:00:00Z")
    )

    row = overview.coverage.find("pod-logs")
    assert row is not None
    assert any("were made after the window began" in note for note in row.notes)


async def test_few_logs_are_held_at_once(api: ApiServer, workdir: Path, monkeypatch) -> None:
    """However many pods there are: the next few are asked for when these were taken."""
    serve_case(api)
    names = [f"orchestrator-5c9b7f6d84-{number:05d}" for number in range(20)]
    api.lists(PODS, *(pod(name, "orchestrator") for name in names))
    line = f'{format_instant(START_NS)} {{"message": "Loaded", "session_id": "{SESSION}"}}\n'.encode()
    for name in names:
        api.says(f"{PODS}/{name}/log", line)
    monkeypatch.setattr(logs, "SIDE_BY_SIDE", 4)
    settings = KubernetesSettings(kubeconfig=api.kubeconfig(workdir / "kube"), timeout_s=30)
    source = logs.PodLogs(settings, "", ("voice",), lambda _: True)

    reading = source.read(LogQuery(Window(START_NS, LATER_NS)))
    await anext(reading)
    asked = sum(path.endswith("/log") for path, _, _ in api.asked)
    rest = [batch async for batch in reading]

    assert asked == 4
    assert len(rest) == 19


async def test_where_the_log_service_has_nothing_a_named_clusters_pods_are_read(
    api: ApiServer, workdir: Path
) -> None:
    """As for one session; coverage says of both what came."""
    serve_case(api)
    settings = ask(api.kubeconfig(workdir / "kube"), "").settings
    request = ask("")
    with run_server() as server:
        logging = LoggingSettings(project="p", endpoint=f"http://{server.address}")
        both = replace(request, settings=replace(settings, logging=logging))
        overview = await list_all(both)
        alone = await list_all(
            replace(both, settings=replace(both.settings, logging=replace(logging, source="cloud-logging")))
        )

    assert SESSION in {one.id for one in overview.sessions}
    row = overview.coverage.find("cloud-logging")
    assert row is not None
    assert any("were read from their nodes instead" in note for note in row.notes)
    assert alone.sessions == ()
    assert alone.coverage.find("pod-logs") is None
