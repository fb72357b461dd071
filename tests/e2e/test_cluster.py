"""The stack as a cluster behaves as a voice agent on GKE does, whoever asks it with what."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from kubernetes import client, config

from pipeline.local.control_plane import access
from tests.e2e.conftest import DIAG, Live, environment, eventually, run, run_stack

pytestmark = [
    pytest.mark.part("control-plane"),
    pytest.mark.part("kafka"),
    pytest.mark.part("flite"),
    pytest.mark.timeout(600),
]

WAIT_S = 180
ENVIRONMENT = environment()
"""With the user's own cache, which a single test does not see: nothing is to be built once more."""

NO_TAG = "9.9.9"


@dataclass(frozen=True)
class Cluster:
    """A stack that is a cluster."""

    live: Live

    @property
    def state(self) -> dict[str, Any]:
        """What stack.json says."""
        return json.loads((self.live.folder / ".stack/stack.json").read_text())

    def users(self, user: access.User) -> str:
        """The kubeconfig of `user`."""
        return str(access.kubeconfig_path(self.live.folder / ".stack/cluster/control-plane/users", user))

    def try_kubectl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, however it ends."""
        return run(str(self.live.folder / ".stack/kubectl"), *words, cwd=self.live.folder)

    def kubectl(self, *words: str) -> str:
        """The output of a command that succeeds."""
        done = self.try_kubectl(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> list[dict[str, Any]]:
        """The objects that ``kubectl get`` lists."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))["items"]

    def containers(self, app: str) -> list[dict[str, Any]]:
        """The status of each container of `app`."""
        pods = self.get("pods", "-l", f"app={app}")
        return [one for pod in pods for one in pod["status"].get("containerStatuses", ())]

    def roll_out(self, app: str) -> None:
        """Wait until the deployment is wholly there."""
        self.kubectl("rollout", "status", f"deployment/{app}", f"--timeout={WAIT_S}s")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests; each breaks another deployment and leaves it whole."""
    with run_stack(tmp_path_factory.mktemp("cluster"), "--cluster") as live:
        yield Cluster(live)


@dataclass(frozen=True)
class Called:
    """A call through the pods: the caller's report, diag's answer, and what the pods had logged then, by pod."""

    report: dict[str, Any]
    answer: dict[str, Any]
    printed: dict[str, str]


@pytest.fixture(scope="module")
def called(cluster: Cluster) -> Called:
    """One for all tests: its pods may be others, or have new logs, when the next test begins."""
    report = cluster.live.call()
    _, answer = cluster.live.judge(report["session_id"])
    pods = sorted(pod["metadata"]["name"] for pod in cluster.get("pods"))
    return Called(
        report, answer, {pod: cluster.kubectl("logs", "--timestamps", "--prefix", pod) for pod in pods}
    )


def test_a_call_goes_through_the_pods(called: Called) -> None:
    """Both sentences are answered over the Services' addresses, and diag has read the cluster to judge it."""
    assert [bool(turn["reply"]) for turn in called.report["turns"]] == [True, True]
    assert called.answer["verdict"]["status"] == "healthy"
    assert any(pod in json.dumps(called.answer) for pod in called.printed)


def test_what_kubectl_prints_gives_the_timeline_of_cloud_logging(cluster: Cluster, called: Called) -> None:
    """The real lines of real pods, printed by the real kubectl: the same events in the same order, and one verdict."""
    session, live = called.report["session_id"], called.answer
    file = cluster.live.folder / "kubectl.txt"
    file.write_text("".join(called.printed.values()), "utf-8")

    done = run(str(DIAG), "session", session, str(file), "-o", "json", cwd=cluster.live.folder)
    told = json.loads(done.stdout)

    assert _own_lines(told) == _own_lines(live)
    assert told["turns"] == live["turns"]
    assert told["verdict"]["status"] == live["verdict"]["status"] == "healthy"
    assert {one["id"] for one in told["session"]["aliases"]} == {
        one["id"] for one in live["session"]["aliases"]
    }


def _own_lines(answer: dict[str, Any]) -> list[tuple[str, ...]]:
    """The lines that name the session; whose the others are, nobody knows who asked for one session alone."""
    columns = ("time", "service", "pod", "event", "text")
    return [tuple(line[name] for name in columns) for line in answer["timeline"] if not line["attributed"]]


def test_kubectl_lists_what_there_is(cluster: Cluster) -> None:
    """Every service is a deployment, a replica set, a ready pod, a slice with its address; events tell how."""
    listed = cluster.kubectl("get", "pods,deploy,rs,events,endpointslices", "-o", "wide")

    for app in cluster.state["services"]:
        assert f"deployment.apps/{app} " in listed
        assert f"replicaset.apps/{app}-" in listed
        assert f"endpointslice.discovery.k8s.io/{app}-" in listed
    assert "Successfully assigned voice-agent/" in listed
    pods = {pod["status"]["podIP"] for pod in cluster.get("pods", "-l", "app=media-server")}
    slices = cluster.get("endpointslices", "-l", "kubernetes.io/service-name=media-server")
    assert pods == {address for one in slices for end in one["endpoints"] for address in end["addresses"]}
    assert all(address.startswith("10.244.") for address in pods)


def test_a_bad_image_leaves_the_old_pod_and_is_undone(cluster: Cluster) -> None:
    """The new pod waits for its image, the rollout times out, the history has it, undo ends it."""
    deployment = "deployment/stt-service"
    cluster.kubectl("set", "image", deployment, f"stt-service=voice-agent/stt-service:{NO_TAG}")

    reasons = partial(_list_waiting, cluster, "stt-service")
    assert eventually(lambda: reasons() & {"ErrImagePull", "ImagePullBackOff"}, WAIT_S)
    assert "timed out" in cluster.try_kubectl("rollout", "status", deployment, "--timeout=1s").stderr
    assert len(cluster.kubectl("rollout", "history", deployment).strip().splitlines()) == 2 + 2
    assert cluster.get("deployments", "-l", "app=stt-service")[0]["status"]["availableReplicas"] == 1
    cluster.kubectl("rollout", "undo", deployment)
    cluster.roll_out("stt-service")

    changes = eventually(lambda: _find_changes(cluster, "stt-service"), WAIT_S)
    assert f"voice-agent/stt-service:{NO_TAG}" in changes[0]
    assert "admin@voice-agent.example" in changes[0]


def test_a_failing_probe_keeps_a_pod_from_traffic(cluster: Cluster) -> None:
    """A readiness path that nobody serves: the new pod runs, is not ready, and an event says why."""
    path = "/spec/template/spec/containers/0/readinessProbe/httpGet/path"
    patch = json.dumps([{"op": "replace", "path": path, "value": "/nowhere"}])
    cluster.kubectl("patch", "deployment/frontend", "--type=json", "-p", patch)

    def has_unready() -> bool:
        return any(one["started"] and not one["ready"] for one in cluster.containers("frontend"))

    def gets_no_traffic() -> bool:
        slices = cluster.get("endpointslices", "-l", "kubernetes.io/service-name=frontend")
        return sorted(end["conditions"]["ready"] for one in slices for end in one["endpoints"]) == [
            False,
            True,
        ]

    assert eventually(has_unready, WAIT_S)
    assert eventually(lambda: "statuscode: 404" in cluster.kubectl("events"), WAIT_S)
    assert eventually(gets_no_traffic, WAIT_S)
    cluster.kubectl("rollout", "undo", "deployment/frontend")
    cluster.roll_out("frontend")


def test_a_killed_process_is_restarted_and_its_last_words_are_kept(cluster: Cluster) -> None:
    """Restart count, last state and exit code as the node has them; logs of both runs, the new one followed."""
    [pod] = cluster.get("pods", "-l", "app=llm-service")
    name = pod["metadata"]["name"]
    os.kill(_find_process(name), signal.SIGKILL)

    def restarted() -> dict[str, Any] | None:
        [status] = cluster.containers("llm-service")
        return status if status["ready"] and status["restartCount"] == 1 else None

    status = eventually(restarted, WAIT_S)
    assert status["lastState"]["terminated"]["exitCode"] == 137
    assert "Service started" in cluster.kubectl("logs", "--previous", name)
    follow = (cluster.state["kubectl"], "logs", "-f", "--tail=1", name)
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout
        assert json.loads(follower.stdout.readline())["severity"]
        assert follower.poll() is None
        follower.kill()


def test_the_python_client_is_told_the_same(cluster: Cluster) -> None:
    """The viewer reads pods and their logs; the outsider gets the 403 of Kubernetes."""

    def connect(user: access.User) -> client.CoreV1Api:
        return client.CoreV1Api(config.new_client_from_config(cluster.users(user)))

    viewer = connect(access.VIEWER)
    pods = viewer.list_namespaced_pod("voice-agent", label_selector="app=orchestrator").items
    assert pods[0].status.container_statuses[0].ready
    assert "Service started" in viewer.read_namespaced_pod_log(pods[0].metadata.name, "voice-agent")
    with pytest.raises(client.ApiException) as refusal:
        connect(access.OUTSIDER).list_namespaced_pod("voice-agent")
    assert refusal.value.status == 403
    assert 'cannot list resource \\"pods\\"' in str(refusal.value.body)


def _list_waiting(cluster: Cluster, app: str) -> set[str]:
    return {one["state"]["waiting"]["reason"] for one in cluster.containers(app) if "waiting" in one["state"]}


def _find_process(pod: str) -> int:
    """The process of a pod: its host name is the pod's."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"HOSTNAME={pod}".encode() in variables and b"pipeline." in command:
            return int(folder.name)
    raise AssertionError(f"no process of {pod}")


def _find_changes(cluster: Cluster, app: str) -> list[str]:
    """The audit entries of changes of a deployment's images, as text, the oldest first."""
    filter_ = (
        'log_id("cloudaudit.googleapis.com/activity") '
        'protoPayload.methodName="io.k8s.apps.v1.deployments.patch" '
        f'protoPayload.resourceName="apps/v1/namespaces/voice-agent/deployments/{app}" '
        f'protoPayload.requestMetadata.callerSuppliedUserAgent:"kubectl"'
    )
    with grpc.insecure_channel(cluster.state["logging"].removeprefix("http://")) as channel:
        logging = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
        request = {"resource_names": ["projects/voice-agent-local"], "filter": filter_}
        return [str(entry) for entry in logging.list_log_entries(request=request)]


_HELD = """
import asyncio, os
from pathlib import Path
from pipeline.local.cluster_stack import ClusterStack
from pipeline.local.plan import Plan
from pipeline.local.services import LLM, SERVICES

async def main():
    llm = tuple(service for service in SERVICES if service.name == LLM)
    async with ClusterStack(Plan(Path(".stack"), topics=(), services=llm)) as stack:
        print("ready", flush=True)
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


def test_a_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    """Neither control plane nor kubelet nor pods outlive it, and the folder is free for the next."""
    with subprocess.Popen(
        [sys.executable, "-c", _HELD], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "ready\n"
            programs = _list_programs(tmp_path)
            assert {"etcd", "kube-apiserver", "kube-scheduler", "java", "pipeline.local.kubelet"} <= programs
            assert "pipeline.llm" in programs
        finally:
            holder.kill()
    assert eventually(lambda: not _list_programs(tmp_path), WAIT_S)


def test_the_demo_reports_from_every_source(tmp_path: Path) -> None:
    """A bad rollout is seen and taken back; the report of the call before it leaves no source out."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "demo", "cluster"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "ImagePullBackOff" in done.stdout
    assert "HEALTHY" in done.stdout
    (report,) = (tmp_path / "reports").iterdir()
    states = dict(re.findall(r"^\| (\S+) \| \W*(\w+)", report.read_text(), re.MULTILINE))
    assert {states[one] for one in ("cloud-logging", "kafka", "kubernetes", "manifests")} == {"complete"}


def _list_programs(folder: Path) -> set[str]:
    """What runs of the stack in `folder`, which the temporary folder in each one's environment tells."""
    programs = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environ, command = ((process / name).read_bytes().decode() for name in ("environ", "cmdline"))
        except OSError:
            continue
        if f"TMPDIR={folder}/.stack" in environ:
            words = command.split("\0")
            programs |= {Path(words[0]).name} | {word for word in words if word.startswith("pipeline.")}
    return programs
