"""Pods run on the kubelet of the stack as they run on a node of GKE."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes import config
from kubernetes.client import ApiException, CoreV1Api
from kubernetes.stream import portforward
from kubernetes.stream.ws_client import PortForward

from pipeline.local.control_plane.network import to_loopback
from pipeline.local.state import NAMESPACE
from tests.contract.control_plane import until
from tests.contract.kubelet import Node, http_probe, is_true, pod, pod_template

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]


async def test_a_pod_runs_and_becomes_ready(node: Node) -> None:
    """Phase, conditions, address, image by digest, and the events of its start."""
    await node.apply(pod("runs", "server", readinessProbe=http_probe("unready")))

    async def is_ready() -> bool:
        return is_true((await node.pods("runs"))[0], "Ready")

    await until(is_ready)
    [found] = await node.pods("runs")
    [container] = found["status"]["containerStatuses"]
    assert found["status"]["phase"] == "Running"
    assert found["status"]["podIP"].startswith("10.244.")
    assert container["imageID"].startswith("voice-agent/test-server@sha256:")
    assert container["containerID"].startswith("containerd://")
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        await node.until_told(found, reason)


async def test_a_pod_waits_for_its_init_container(node: Node) -> None:
    """Its log is there, Initialized turns, and the pod's own container runs after it."""
    prepared = pod("prepared", "server", readinessProbe=http_probe("unready"))
    prepare = {
        "name": "prepare",
        "image": "voice-agent/test-task:1",
        "env": [{"name": "GREETING", "value": "first"}],
    }
    prepared["spec"]["initContainers"] = [prepare]
    await node.apply(prepared)

    async def is_ready() -> bool:
        return is_true((await node.pods("prepared"))[0], "Ready")

    await until(is_ready)
    [found] = await node.pods("prepared")
    [init] = found["status"]["initContainerStatuses"]
    [main] = found["status"]["containerStatuses"]
    assert is_true(found, "Initialized")
    assert (init["state"]["terminated"]["reason"], init["ready"]) == ("Completed", True)
    assert init["state"]["terminated"]["finishedAt"] <= main["state"]["running"]["startedAt"]
    assert await node.kubectl("logs", "prepared", "-c", "prepare") == "first\n"


async def test_an_image_that_does_not_exist_is_backed_off_from(node: Node) -> None:
    """ErrImagePull with the runtime's words, then ImagePullBackOff; the pod stays Pending and has no log."""
    await node.apply(pod("no-image", "server", tag="missing"))
    reasons: set[str] = set()

    async def has_been_through_both() -> bool:
        reasons.add(waiting(await node.container("no-image")).get("reason", ""))
        return {"ErrImagePull", "ImagePullBackOff"} <= reasons

    await until(has_been_through_both)
    [found] = await node.pods("no-image")
    message = waiting(found["status"]["containerStatuses"][0])["message"]
    assert found["status"]["phase"] == "Pending"
    assert 'failed to pull and unpack image "voice-agent/test-server:missing"' in message
    await node.until_told(found, "Failed", "Error: ErrImagePull")

    refused = await node.kubectl.run("logs", "no-image")
    assert 'container "no-image" in pod "no-image" is waiting to start' in refused.stderr


async def test_a_missing_key_keeps_a_container_from_being_made_until_it_is_there(node: Node) -> None:
    """CreateContainerConfigError names the key; the ConfigMap's value reaches the process."""
    greeting = {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "greetings", "key": "hello"}}}
    await node.kubectl("create", "configmap", "greetings", "--from-literal=other=x")
    await node.apply(pod("config", "task", "Never", env=[greeting]))

    async def is_refused() -> bool:
        return waiting(await node.container("config")).get("reason") == "CreateContainerConfigError"

    await until(is_refused)
    message = waiting(await node.container("config"))["message"]
    assert message == "couldn't find key hello in ConfigMap voice-agent/greetings"

    await node.kubectl("patch", "configmap", "greetings", "-p", '{"data": {"hello": "good day"}}')

    async def has_succeeded() -> bool:
        return (await node.pods("config"))[0]["status"]["phase"] == "Succeeded"

    await until(has_succeeded)
    assert await node.kubectl("logs", "config") == "good day\n"


async def test_a_container_that_keeps_crashing_is_restarted_ever_later(node: Node) -> None:
    """CrashLoopBackOff with the last end, the count, the log of the run before; an event of each, counted up."""
    await node.apply(pod("crashes", "crash"))
    found: dict[str, Any] = {}

    async def has_crashed_often() -> bool:
        found.update(
            (await node.pods("crashes"))[0]
        )  # as it is just now: the next run may begin at any moment
        container = next(iter(found["status"].get("containerStatuses", ())), {})
        reason = waiting(container).get("reason")
        return reason == "CrashLoopBackOff" and container["restartCount"] >= 2

    async def has_the_log_before() -> bool:
        done = await node.kubectl.run("logs", "crashes", "--previous")
        return done.stdout == "about to crash\n"

    await until(has_crashed_often)
    [container] = found["status"]["containerStatuses"]
    last = container["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (3, "Error")
    assert waiting(container)["message"].startswith("back-off ")
    assert (
        f"restarting failed container=crashes pod=crashes_voice-agent({found['metadata']['uid']})"
        in (waiting(container)["message"])
    )
    assert found["status"]["phase"] == "Running"
    await until(has_the_log_before)
    back_off = (
        f"Back-off restarting failed container crashes in pod crashes_voice-agent({found['metadata']['uid']})"
    )
    await node.until_told(found, "BackOff", back_off)
    await node.until_told(found, "Started", "Container started", times=3)
    await node.kubectl("delete", "pod", "crashes", "--wait=false")  # else it goes on beside all other tests


async def test_a_failing_liveness_probe_has_the_container_restarted(node: Node) -> None:
    """The last state has the code of the signal; the events say why it was killed."""
    probes = {"startupProbe": http_probe("new", failureThreshold=60), "livenessProbe": http_probe("sick")}
    await node.apply(pod("unwell", "server", **probes))

    async def is_up() -> bool:
        return (await node.container("unwell")).get("ready", False)

    await until(is_up)
    [found] = await node.pods("unwell")
    sick = node.state_dir(found) / "sick"
    sick.touch()

    async def was_restarted() -> bool:
        container = await node.container("unwell")
        if container["restartCount"]:
            sick.unlink(missing_ok=True)
        return container["ready"] and container["restartCount"] > 0

    await until(was_restarted)
    last = (await node.container("unwell"))["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (143, "Error")
    await node.until_told(found, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503")
    await node.until_told(found, "Killing", "Container unwell failed liveness probe, will be restarted")


async def test_a_container_over_its_memory_limit_is_killed_and_says_so(node: Node) -> None:
    """OOMKilled, with the code of SIGKILL."""
    await node.apply(pod("hungry", "hungry", "Never", resources={"limits": {"memory": "64Mi"}}))

    async def has_failed() -> bool:
        return (await node.pods("hungry"))[0]["status"]["phase"] == "Failed"

    await until(has_failed)
    end = (await node.container("hungry"))["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


async def test_a_pod_that_fills_the_disk_is_evicted(node: Node) -> None:
    """Failed, with the reason and the kubelet's message; the process is gone, the object stays."""
    greedy = pod("greedy", "server")
    greedy["spec"]["volumes"] = [{"name": "state", "emptyDir": {"sizeLimit": "1Mi"}}]
    await node.apply(greedy)

    async def runs() -> bool:
        return (await node.container("greedy")).get("ready", False)

    await until(runs)
    [found] = await node.pods("greedy")
    (node.state_dir(found) / "much").write_bytes(bytes(2**20 + 1))

    async def is_evicted() -> bool:
        return (await node.pods("greedy"))[0]["status"].get("reason") == "Evicted"

    await until(is_evicted)
    [found] = await node.pods("greedy")
    message = 'Usage of EmptyDir volume "state" exceeds the limit "1Mi". '
    assert (found["status"]["phase"], found["status"]["message"]) == ("Failed", message)
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
    assert is_true(found, "DisruptionTarget")
    await node.until_told(found, "Evicted", message)


async def test_a_killed_process_is_restarted_at_once(node: Node) -> None:
    """Code 137, reason Error, one restart."""
    await node.apply(pod("killed", "server"))

    async def process() -> int:
        said = (await node.kubectl.run("logs", "killed")).stdout.split()
        return int(said[-1]) if len(said) == 3 else 0

    await until(process)
    os.kill(await process(), signal.SIGKILL)

    async def was_restarted() -> bool:
        container = await node.container("killed")
        return container["restartCount"] == 1 and container["ready"]

    await until(was_restarted)
    last = (await node.container("killed"))["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (137, "Error")


async def test_logs_are_given_as_the_kubelet_gives_them(node: Node) -> None:
    """--tail, --timestamps, --since-time, --limit-bytes; --previous of a first run is refused in its words."""
    await node.apply(pod("talks", "lines", "Never"))

    async def has_said(number: int) -> bool:
        done = await node.kubectl.run("logs", "talks")
        return f"line {number}\n" in done.stdout

    await until(lambda: has_said(12))
    logs = node.kubectl
    stamped = (await logs("logs", "talks", "--timestamps")).splitlines()
    second = stamped[11][: len("2026-11-23T16:00:00")]  # kubectl asks for whole seconds
    late = [line.partition(" ")[2] for line in stamped if line >= second]
    assert stamped[11].endswith("Z line 11")
    assert (await logs("logs", "talks", f"--since-time={second}Z")).splitlines()[0] == late[0] != "line 0"
    assert len((await logs("logs", "talks", "--tail=3")).splitlines()) == 3
    assert await logs("logs", "talks", "--limit-bytes=9") == "line 0\nli"
    refused = await logs.run("logs", "talks", "--previous")
    assert 'previous terminated container "talks" in pod "talks" not found' in refused.stderr

    [found] = await node.pods("talks")
    following = asyncio.create_task(logs("logs", "talks", "-f"))
    await until(lambda: has_said(20))
    (node.state_dir(found) / "end").touch()
    followed = (await following).splitlines()
    assert followed[:21] == [f"line {number}" for number in range(21)]
    assert followed[-1] == "the last line"


async def test_a_deleted_pod_gets_its_grace_and_is_gone_then(node: Node) -> None:
    """SIGTERM, the grace, SIGKILL; the object stays until the process is dead."""
    await node.apply(pod("stays", "stubborn"))

    async def runs() -> bool:
        return "running" in (await node.kubectl.run("logs", "stays")).stdout

    await until(runs)
    following = asyncio.create_task(node.kubectl("logs", "stays", "-f"))
    [found] = await node.pods("stays")
    await node.kubectl("delete", "pod", "stays", "--grace-period=3", "--wait=true")

    assert await following == "running\nasked to end\n"
    await node.until_told(found, "Killing", "Stopping container stays")
    assert await node.pods("stays") == []

    async def is_cleared() -> bool:
        return not node.state_dir(found).exists()

    await until(is_cleared)  # the object goes first


async def test_an_unready_pod_gets_no_traffic_and_a_rollout_is_followed(node: Node) -> None:
    """A Service's address answers out of the pods that are ready, through a failing probe and a new image."""
    template = pod_template("shop", "server", readinessProbe=http_probe("unready"))
    await node.apply(deployment("shop", template, replicas=2))
    service = {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": 8080}]}
    made = await node.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata("shop"), "spec": service}
    )
    await node.kubectl("rollout", "status", "deployment/shop", "--timeout=60s")
    address = to_loopback(made["spec"]["clusterIP"])

    async def answers_from(wanted: set[str]) -> bool:
        return {await ask(address, 80) for _ in range(20)} == wanted

    one, other = await node.pods("shop")
    names = {one["metadata"]["name"], other["metadata"]["name"]}
    await until(lambda: answers_from(names))

    (node.state_dir(one) / "unready").touch()
    await until(lambda: answers_from({other["metadata"]["name"]}))
    ready = await ready_endpoints(node, "shop")
    assert ready == {other["metadata"]["name"]}

    await node.kubectl("set", "image", "deployment/shop", "shop=voice-agent/test-server:2")
    await node.kubectl("rollout", "status", "deployment/shop", "--timeout=60s")

    async def are_new() -> bool:
        pods = await node.pods("shop")
        images = {pod["spec"]["containers"][0]["image"] for pod in pods}
        return images == {"voice-agent/test-server:2"} and len(pods) == 2

    await until(are_new)
    await until(lambda: answers_from_new(node, address))


async def test_a_port_of_a_pod_is_forwarded_to_the_python_client(node: Node) -> None:
    """Over a WebSocket, through the API server; a port at which nobody listens is told."""
    await node.apply(pod("forwarded", "server", readinessProbe=http_probe("unready")))

    async def is_ready() -> bool:
        return is_true((await node.pods("forwarded"))[0], "Ready")

    await until(is_ready)
    with forwarded(node, "forwarded", 8080) as (stream, _):
        stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = await asyncio.to_thread(lambda: b"".join(iter(lambda: stream.recv(1000), b"")))
        assert answer.startswith(b"HTTP/1.0 200")
        assert answer.endswith(b"\r\n\r\nforwarded")
    with forwarded(node, "forwarded", 81) as (stream, ports):
        assert await asyncio.to_thread(stream.recv, 1) == b""
        assert "failed to connect to 10.244." in ports.error(81)


async def test_what_is_not_served_is_told_in_words(node: Node) -> None:
    """Who tries exec, attach or kubectl port-forward hears that it is this kubelet, and where the pod is."""
    await node.apply(pod("tried", "server", readinessProbe=http_probe("unready")))

    async def is_ready() -> bool:
        return is_true((await node.pods("tried"))[0], "Ready")

    await until(is_ready)
    [found] = await node.pods("tried")
    here = found["status"]["podIP"].replace("10.", "127.", 1)
    tries = {
        ("exec", "tried", "--", "ls"): "this kubelet serves no exec",
        ("attach", "tried"): "this kubelet serves no attach",
        ("port-forward", "tried", "0:8080"): f"on this machine the pod is {here}",
    }
    done = await asyncio.gather(*(node.kubectl.run(*words) for words in tries))

    assert [one.returncode for one in done] == [1] * len(tries)
    assert all(words in one.stderr for one, words in zip(done, tries.values(), strict=True)), done


async def test_the_python_client_reads_states_logs_and_events(node: Node) -> None:
    """The same as kubectl: last state, the log of the run before with its times, the kubelet's refusal."""
    await node.apply(pod("seen", "crash"))

    async def has_crashed() -> bool:
        return (await node.container("seen")).get("restartCount", 0) >= 1

    async def has_the_log_before() -> bool:
        """Just when the next run begins there may be none."""
        try:
            log = api.read_namespaced_pod_log("seen", NAMESPACE, previous=True, timestamps=True, tail_lines=1)
        except ApiException:
            return False
        return bool(log.endswith("Z about to crash\n"))

    await until(has_crashed)
    with config.new_client_from_config(str(node.plane.kubeconfig())) as client:
        api = CoreV1Api(client)
        [container] = api.read_namespaced_pod("seen", NAMESPACE).status.container_statuses
        assert (container.last_state.terminated.exit_code, container.image) == (3, "voice-agent/test-crash:1")
        await until(has_the_log_before)
        events = api.list_namespaced_event(NAMESPACE).items
        assert "Scheduled" in {event.reason for event in events if event.involved_object.name == "seen"}
        with pytest.raises(ApiException) as refused:
            api.read_namespaced_pod_log("seen", NAMESPACE, container="other")
        assert refused.value.status == 400
    await node.kubectl("delete", "pod", "seen", "--wait=false")


@contextmanager
def forwarded(node: Node, pod: str, port: int) -> Iterator[tuple[socket.socket, PortForward]]:
    """A connection to `port` of `pod`."""
    with config.new_client_from_config(str(node.plane.kubeconfig())) as client:
        api = CoreV1Api(client)
        ports = portforward(api.connect_get_namespaced_pod_portforward, pod, NAMESPACE, ports=str(port))
        stream = ports.socket(port)
        stream.setblocking(True)
        try:
            yield stream, ports
        finally:
            ports.close()
            for thread in threading.enumerate():
                if thread.name == f"Kubernetes port forward proxy: {port}":
                    thread.join()
            ports.websocket.shutdown()  # the client leaves it open when the port was closed first


async def answers_from_new(node: Node, address: str) -> bool:
    return await ask(address, 80) in {pod["metadata"]["name"] for pod in await node.pods("shop")}


def waiting(container: dict[str, Any]) -> dict[str, str]:
    """The waiting state of a container; empty if it is in another."""
    return container.get("state", {}).get("waiting", {})


def metadata(name: str) -> dict[str, str]:
    return {"name": name, "namespace": NAMESPACE}


def deployment(name: str, template: dict[str, Any], replicas: int) -> dict[str, Any]:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name), "spec": spec}


async def ready_endpoints(node: Node, service: str) -> set[str]:
    """The names of the pods that the EndpointSlices of `service` call ready."""
    slices = await node.kubectl.get("endpointslices", "-l", f"kubernetes.io/service-name={service}")
    return {
        endpoint["targetRef"]["name"]
        for one in slices["items"]
        for endpoint in one["endpoints"]
        if endpoint["conditions"]["ready"]
    }


async def ask(host: str, port: int) -> str:
    """The body of ``GET /``; empty where nobody answers."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return ""
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode()
