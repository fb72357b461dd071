"""Every fault of Kubernetes beside a log service that is all right, and of the pods' logs that stand in for it.

What the network and the rights do is done to a real API server behind a wire that can be cut. What it can not be made
to say (429, 5xx, half an answer) a stand-in says.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.errors import ExitCode
from diag.model.coverage import State
from diag.model.instants import NS_PER_S
from diag.model.records import POD_LOGS
from diag.model.settings import ClusterSettings, KubernetesSettings, LoggingSettings, Settings
from diag.sources.kube.client import Api
from diag.sources.kube.logs import PodLogs
from pipeline.local.control_plane import access
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.control_plane.keys import make_keys
from tests.cases import START_NS
from tests.contract.control_plane import Kubectl, until
from tests.contract.fault_table import Answer, check_row, code_of, find_row, healthy, keeps
from tests.contract.logging_server import run_server
from tests.contract.relay import Relay, open_relay
from tests.kube_api import ApiServer, run_api_server
from tests.unit.diag.app.test_pod_logs import pod, to_line

CASE = healthy()
ALL = len(CASE.entries)
NOW_NS = START_NS + 3600 * NS_PER_S
SLUG = "kubernetes"
NAMESPACE = "voice"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
MANY = 100_000
PATIENCE_S, FOR_EVENTS_S = 0.5, 2.0
"""Of diag: with a server that says nothing at all, and for the one list in the midst of which it falls silent."""


@dataclass(frozen=True)
class Fault:
    """What is done, and what becomes of it.

    Attributes:
        change: what the kubeconfig says else of the cluster.
        login: a token in the place of the user's own.
        harm: connections that are cut, or go silent, after so many bytes.
        settings: of diag.
    """

    name: str
    state: State = State.COMPLETE
    words: tuple[str, ...] = ()
    change: Callable[[Path], dict[str, Any]] = lambda _: {}
    user: access.User = access.VIEWER
    login: str = ""
    harm: tuple[int, int] = (0, 0)
    silent: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def other_authority(folder: Path) -> dict[str, Any]:
    return {"certificate-authority": str(make_keys(folder / "other").authority)}


def server_at(place: str) -> Callable[[Path], dict[str, Any]]:
    return lambda _: {"server": f"https://{place}"}


IMPATIENT = {"timeout_s": PATIENCE_S}
HANDSHAKE, IN_MIDDLE = 0, 30_000
"""Bytes of a connection: none, and so many that only the list of events has more."""
EVENTS, EVENT_BYTES = 60, 1_000
FAULTS = [
    Fault("none"),
    Fault("no such host", State.FAILED, ("no such host", "DNS"), server_at("no-such-host.invalid")),
    Fault("refused", State.FAILED, ("refuses the connection",), server_at("127.0.0.1:1")),
    Fault("another authority", State.FAILED, ("signed by an authority", "get-credentials"), other_authority),
    Fault("expired token", State.FAILED, ("credentials are refused or have expired", "log in again"), login="gone"),
    Fault("no right", State.FAILED, ("deployments in voice: not allowed", "grant list deployments"), user=access.OUTSIDER),
    Fault("silent", State.FAILED, ("did not answer within 0.5 s", "VPN"), harm=(MANY, 0), silent=True, settings=IMPATIENT),
    Fault("silent in mid-answer", State.PARTIAL, ("did not answer within 2 s",), harm=(MANY, IN_MIDDLE), silent=True),
    Fault("cut once", harm=(1, HANDSHAKE)),
    Fault("cut in mid-answer once", harm=(1, IN_MIDDLE)),
    Fault("cut for ever", State.FAILED, ("check the server's address",), harm=(MANY, HANDSHAKE)),
    Fault("cut in mid-answer for ever", State.PARTIAL, ("does not answer",), harm=(MANY, IN_MIDDLE)),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(control_plane: ControlPlane) -> AsyncIterator[Relay]:
    """Leads to the API server, which has many events of our namespace to tell."""
    server = json.loads(control_plane.kubeconfig(access.VIEWER).read_text("utf-8"))["clusters"][0]["cluster"][
        "server"
    ]
    async with control_plane.api() as api:
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for number in range(EVENTS):
            await api.apply(make_event(number))
    with open_relay(server.removeprefix("https://")) as relay:
        yield relay
    await Kubectl(control_plane)("delete", "namespace", NAMESPACE, "--wait=false")


def make_event(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Event", "type": "Normal", "reason": "Pulled", "message": "x" * EVENT_BYTES,
        "metadata": {"name": f"event-{number}", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "name": "gone", "namespace": NAMESPACE},
    }  # fmt: skip


@pytest.fixture(scope="module")
def logs() -> Iterator[Settings]:
    """A log service that has the whole session."""
    with run_server() as server:
        server.write([dict(entry) for entry in CASE.entries])
        yield server.settings()


def ask(logs: Settings, **kubernetes: Any) -> SessionRequest:
    settings = replace(logs, kubernetes=KubernetesSettings(**{"timeout_s": 60.0, **kubernetes}))
    return SessionRequest(asked=CASE.asked, settings=settings, now_ns=NOW_NS)


def kubeconfig(plane: ControlPlane, wire: Relay, fault: Fault, folder: Path) -> str:
    """That of the fault's user, by the wire."""
    config = json.loads(plane.kubeconfig(fault.user).read_text("utf-8"))
    config["clusters"][0]["cluster"] |= {"server": f"https://{wire.address}", **fault.change(folder)}
    if fault.login:
        config["users"][0]["user"] = {"token": fault.login}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), "utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def quick_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said once and what is said for ever do not change with the pause between two questions."""
    monkeypatch.setattr("diag.sources.kube.again._PAUSES_S", (0.01, 0.01))


@pytest.fixture
def impatient_for_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before the events has all the time that a slow machine needs."""
    ask = Api._ask

    def ask_soon(api: Api, url: str, most: int) -> tuple[bytes, bool]:
        if "/events" in url:
            api = copy(api)
            api._timeout_s = FOR_EVENTS_S
        return ask(api, url, most)

    monkeypatch.setattr(Api, "_ask", ask_soon)


@pytest.mark.usefixtures("impatient_for_events")
@pytest.mark.part("control-plane")
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_beside_the_log_service(
    fault: Fault, control_plane: ControlPlane, wire: Relay, logs: Settings, tmp_path: Path
) -> None:
    """All lines are kept, the session is judged, and the code tells that something is missing."""
    file = await asyncio.to_thread(kubeconfig, control_plane, wire, fault, tmp_path)
    wire.harm(*fault.harm, silent=fault.silent)
    try:
        answer = await diagnose_session(ask(logs, kubeconfig=file, **fault.settings))
    finally:
        wire.mend()

    assert keeps(answer, "cloud-logging", ALL)
    assert bool(fault.harm[0]) is wire.hit.is_set()
    check_row(answer, SLUG, fault.state, fault.words)


@pytest.mark.part("control-plane")
@pytest.mark.asyncio(loop_scope="session")
async def test_ctrl_c_while_the_api_server_is_silent(
    control_plane: ControlPlane, wire: Relay, logs: Settings, tmp_path: Path
) -> None:
    """What the log service gave until then is judged; of the cluster is said that it was interrupted."""
    file = await asyncio.to_thread(kubeconfig, control_plane, wire, Fault("silent"), tmp_path)
    came = asyncio.Event()

    def progress(said: str) -> None:
        found = re.search(r"(\d+) entries", said)
        if found and int(found[1]) >= ALL:
            came.set()

    request = replace(ask(logs, kubeconfig=file), progress=progress)
    wire.harm(MANY, 0, silent=True)
    asking = asyncio.create_task(diagnose_session(request))
    assert await asyncio.to_thread(wire.hit.wait, 60)
    await came.wait()

    asking.cancel()
    answer: Answer = await asking
    wire.mend()

    assert keeps(answer, "cloud-logging", ALL // 2)
    assert find_row(answer, SLUG).notes == ("interrupted (Ctrl-C)",)
    assert code_of(answer) == ExitCode.INCOMPLETE


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """A stand-in for what a real one can not be made to say."""
    with run_api_server() as server:
        yield server


class Said(NamedTuple):
    """An answer, and what becomes of it."""

    name: str
    status: int
    body: bytes
    state: State
    words: tuple[str, ...] = ()


SAID = [
    Said("429", 429, b'{"message": "too many requests"}', State.FAILED, ("HTTP 429 (too many requests)", "ask again later")),
    Said("500", 500, b'{"message": "etcdserver: no leader"}', State.FAILED, ("HTTP 500 (etcdserver: no leader)", "ask again")),
    Said("503", 503, b"<html>no healthy upstream</html>", State.FAILED, ("HTTP 503", "ask again later")),
    Said("404", 404, b'{"message": "not found"}', State.FAILED, ("does not have them", "too old")),
    Said("elsewhere", 302, b"", State.FAILED, ("sends diag elsewhere", "name the API server itself")),
    Said("half an answer", 200, b'{"items": [{"metadata"', State.FAILED, ("is no Kubernetes API", "check the server's address")),
    Said("a page", 200, b"<html>welcome</html>", State.FAILED, ("is no Kubernetes API",)),
    Said("bad UTF-8", 200, b'{"items": ["\xff"]}', State.FAILED, ("is no Kubernetes API",)),
    Said("deep", 200, b"[" * 100_000, State.FAILED, ("is no Kubernetes API",)),
    Said("huge", 200, b'{"items": ["%s"]}' % (b"x" * 3_000_000), State.FAILED, ("is larger than 2 MiB", "--namespace")),
    Said("odd items", 200, b'{"items": [null, 5, {"metadata": 7}]}', State.COMPLETE, ()),
]  # fmt: skip


@pytest.mark.parametrize("said", SAID, ids=lambda said: said.name)
async def test_whatever_it_says(
    said: Said, api: ApiServer, logs: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To every question; and to one kind of objects alone, where the others are kept."""
    monkeypatch.setattr("diag.sources.kube.client._MOST_BYTES", 2 << 20)
    request = ask(logs, kubeconfig=api.kubeconfig(tmp_path / "kube"))
    api.says("/api/v1/namespaces/voice/events", said.body, said.status)
    some = await diagnose_session(request)
    api.otherwise = lambda _: (said.status, said.body)
    nothing = await diagnose_session(request)

    assert keeps(some, "cloud-logging", ALL)
    assert keeps(nothing, "cloud-logging", ALL)
    check_row(nothing, SLUG, said.state, said.words)
    harmless = said.state is State.COMPLETE
    check_row(some, SLUG, State.COMPLETE if harmless else State.PARTIAL, said.words[:1])


ONCE = [said for said in SAID if said.status in (429, 500, 503)]


class Busy:
    """Says its sentence once, and from then on `then`; how often it was asked."""

    def __init__(self, said: Said, then: Callable[[], tuple[int, bytes]]) -> None:
        self.said, self.then, self.asked = said, then, 0

    def __call__(self, _: dict[str, str]) -> tuple[int, bytes]:
        self.asked += 1
        return (self.said.status, self.said.body) if self.asked == 1 else self.then()


@pytest.mark.parametrize("said", ONCE, ids=lambda said: said.name)
async def test_what_is_said_once_is_asked_again(
    said: Said, api: ApiServer, logs: Settings, tmp_path: Path
) -> None:
    """Nothing is missing, of a list or of a pod's log."""
    events = Busy(said, lambda: (200, b'{"items": []}'))
    api.answers["/api/v1/namespaces/voice/events"] = events
    listed = await diagnose_session(ask(logs, kubeconfig=api.kubeconfig(tmp_path / "kube")))
    *_, longest = serve(api)
    _, lines = api.answers[f"{PODS}/{longest}/log"]({})
    log = Busy(said, lambda: (200, lines))
    api.answers[f"{PODS}/{longest}/log"] = log
    read = await diagnose_session(ask_pods(api.kubeconfig(tmp_path / "kube")))

    check_row(listed, SLUG, State.COMPLETE, ())
    assert events.asked >= 2
    assert keeps(read, POD_LOGS, ALL)
    check_row(read, POD_LOGS, State.COMPLETE, ())
    assert log.asked >= 2


LOGS = [
    ("403", 403, b'{"message": "pods \\"x\\" is forbidden"}', ("pods/log in voice: not allowed", "grant get pods/log")),
    ("429", 429, b'{"message": "too many requests"}', ("HTTP 429 (too many requests)",)),
    ("500", 500, b'{"message": "dial tcp 10.0.0.7:10250: i/o timeout"}', ("HTTP 500",)),
    ("401", 401, b"Unauthorized", ("credentials are refused or have expired",)),
]  # fmt: skip


def serve(api: ApiServer) -> list[str]:
    """The session's lines as the logs of its pods; gives their names, the one with most lines last."""
    lines: dict[tuple[str, str], list[str]] = {}
    for entry in CASE.entries:
        labels = entry["resource"]["labels"]
        lines.setdefault((labels["pod_name"], labels["container_name"]), []).append(to_line(entry))
    names = sorted(lines, key=lambda name: len(lines[name]))
    api.lists(PODS, *(pod(*name) for name in names))
    for name, _ in names:
        own = next(said for key, said in lines.items() if key[0] == name)
        api.says(f"{PODS}/{name}/log", "".join(f"{line}\n" for line in own).encode())
    return [name for name, _ in names]


def ask_pods(file: str) -> SessionRequest:
    settings = Settings(
        logging=LoggingSettings(source="kubernetes"),
        cluster=ClusterSettings(namespace="voice"),
        kubernetes=KubernetesSettings(kubeconfig=file, timeout_s=60.0),
    )
    return SessionRequest(asked=CASE.asked, settings=settings, now_ns=NOW_NS)


@pytest.mark.parametrize(("status", "body", "words"), [one[1:] for one in LOGS], ids=[one[0] for one in LOGS])
async def test_one_log_that_is_refused_costs_no_other(
    status: int, body: bytes, words: tuple[str, ...], api: ApiServer, tmp_path: Path
) -> None:
    """The lines of the other pods are kept, and the one that is missing has its name."""
    refused, *_ = serve(api)
    api.says(f"{PODS}/{refused}/log", body, status)

    answer = await diagnose_session(ask_pods(api.kubeconfig(tmp_path / "kube")))

    assert keeps(answer, POD_LOGS, ALL // 2)
    row = find_row(answer, POD_LOGS)
    assert row.state is State.PARTIAL
    for word in words:
        assert any(word in note and "; " in note for note in row.notes), row.notes


@contextmanager
def behind_a_wire(api: ApiServer) -> Iterator[Relay]:
    with open_relay(f"127.0.0.1:{api.port}") as relay:
        api.port = int(relay.address.rpartition(":")[2])
        yield relay


@pytest.mark.parametrize("cuts", [1, MANY], ids=["once", "for ever"])
async def test_one_log_that_is_cut_in_the_middle_costs_no_other(
    cuts: int, api: ApiServer, tmp_path: Path
) -> None:
    """The connection ends in mid-answer: it is asked again, and a log that is missing then is said to be."""
    *_, longest = serve(api)
    _, lines = api.answers[f"{PODS}/{longest}/log"]({})
    with behind_a_wire(api) as relay:
        file = api.kubeconfig(tmp_path / "kube")
        relay.harm(cuts, 65_536)
        api.says(f"{PODS}/{longest}/log", lines + b"2025-07-27T11:26:41Z x\n" * 20_000)
        answer = await diagnose_session(ask_pods(file))

    assert relay.hit.is_set()
    row = find_row(answer, POD_LOGS)
    if cuts == 1:
        assert row.state is State.COMPLETE
        assert keeps(answer, POD_LOGS, ALL)
        return
    assert row.state is State.PARTIAL
    assert any(longest in note and "does not answer" in note for note in row.notes), row.notes
    assert keeps(answer, POD_LOGS, 1)


async def test_ctrl_c_while_one_node_is_silent_keeps_what_the_others_said(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The logs that came are judged, and are said to be a part."""
    silent, *others = serve(api)
    end, asked, came = asyncio.Event(), [], []
    loop, take_turn = asyncio.get_running_loop(), PodLogs._take_turn

    async def count(logs: PodLogs, *which: Any) -> Any:
        found = await take_turn(logs, *which)
        came.append(found)
        return found

    def wait(_: dict[str, str]) -> tuple[int, bytes]:
        asked.append(1)
        asyncio.run_coroutine_threadsafe(end.wait(), loop).result(60)
        return 200, b""

    monkeypatch.setattr(PodLogs, "_take_turn", count)
    api.answers[f"{PODS}/{silent}/log"] = wait
    asking = asyncio.create_task(diagnose_session(ask_pods(api.kubeconfig(tmp_path / "kube"))))

    async def the_others_came() -> bool:
        return bool(asked) and len(came) == len(others)

    await until(the_others_came)
    asking.cancel()
    answer: Answer = await asking
    end.set()

    row = find_row(answer, POD_LOGS)
    assert row.state is State.PARTIAL
    assert "interrupted (Ctrl-C)" in row.notes
    assert keeps(answer, POD_LOGS, 1)
