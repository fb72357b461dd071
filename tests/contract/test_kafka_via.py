"""A broker that advertises names of its cluster, reached from outside through a real API server and kubelet."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiokafka.client
import pytest
import pytest_asyncio
import yaml
from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection, create_conn

from diag.errors import SourceError
from diag.model.settings import KafkaSettings, KubernetesSettings
from diag.model.topics import Path as TopicPath
from diag.model.topics import WantedTopic
from diag.sources import kafka
from diag.sources.kube.port_forward import PortForward
from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import Object
from pipeline.local.kafka import KafkaBroker
from pipeline.local.readiness import LOOPBACK, choose_ports
from pipeline.local.state import NAMESPACE
from tests.contract.control_plane import Kubectl, until
from tests.contract.kafka_broker import run_broker
from tests.contract.kubelet import Node, is_true, pod

pytestmark = [
    pytest.mark.part("kafka"),
    pytest.mark.part("control-plane"),
    pytest.mark.asyncio(loop_scope="session"),
]

ADVERTISED = f"broker-0.broker.{NAMESPACE}.svc.cluster.local"
HEADLESS, BEFORE_IT = "broker:9092", "broker-bootstrap:19092"
DEADLINE_S = 60.0
LABELS = {"of": "kafka-via"}
S = "session_1753615601372_cz4gw0fl5"
LINE = f'{{"textPayload": "session {S} started", "timestamp": "2025-07-27T11:26:42Z"}}\n'
CHECKOUT = Path(__file__).parents[2]
_CHANGED = ("listeners=", "advertised.listeners=", "listener.security.protocol.map=")


def read_role() -> Sequence[Object]:
    """The rules that docs/kafka.md gives to whoever forwards ports."""
    text = (CHECKOUT / "docs/kafka.md").read_text("utf-8")
    role = next(block for block in text.split("```yaml\n")[1:] if "pods/portforward" in block)
    rules: Sequence[Object] = yaml.safe_load(role.partition("```")[0])["rules"]
    return rules


def rule(verbs: Sequence[str], resource: str, group: str = "") -> Object:
    """What a role allows."""
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


async def grant(node: Node, user: access.User, rules: Sequence[Object]) -> None:
    """Give `user` a role in the namespace."""
    meta = {"name": f"kafka-via-{user.file}", "namespace": NAMESPACE, "labels": LABELS}
    api = "rbac.authorization.k8s.io"
    subject = {"apiGroup": api, "kind": "User", "name": user.name}
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": meta, "rules": rules}
    refers = {"roleRef": {"apiGroup": api, "kind": "Role", "name": meta["name"]}, "subjects": [subject]}
    await node.apply(role)
    await node.apply({"apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": meta, **refers})


def service(name: str, port: int, **spec: object) -> Object:
    """A service before the broker's pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"selector": {"app": "broker-0"}, "ports": [{"port": port, "targetPort": 9092}], **spec},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broker(node: Node, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaBroker]:
    """A broker in a pod: whoever comes in by the pod's port is told a name that nobody knows out here."""
    (port,) = choose_ports(1)

    def advertise(properties: str) -> str:
        kept = (line for line in properties.splitlines() if not line.startswith(_CHANGED))
        return "\n".join(
            (
                *kept,
                f"listeners=PLAINTEXT://{{host}}:{{port}},CONTROLLER://{{host}}:{{controller_port}},POD://{{host}}:{port}",
                f"advertised.listeners=PLAINTEXT://{{host}}:{{port}},POD://{ADVERTISED}:9092",
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,POD:PLAINTEXT",
                "inter.broker.listener.name=PLAINTEXT",
            )
        )

    folder: Path = tmp_path_factory.mktemp("broker")
    async with run_broker(folder, advertise) as running:
        await run_pod(node, f"{LOOPBACK}:{port}")
        topic = WantedTopic("audio-in", TopicPath.AUDIO, 2)
        with kafka.through(tunnel(node)):
            (created,) = await kafka.create_topics(KafkaSettings(HEADLESS, timeout_s=DEADLINE_S), [topic])
        assert not created.error
        yield running
    await node.kubectl("delete", "pod,service,role,rolebinding", "-l", "of=kafka-via")


async def run_pod(node: Node, target: str) -> None:
    """The pod ``broker-0``, with the services that lead to it."""
    made = pod("broker-0", "relay")
    made["spec"] |= {"hostname": "broker-0", "subdomain": "broker"}
    made["spec"]["containers"][0]["env"].append({"name": "TARGET", "value": target})
    made["metadata"]["labels"] |= LABELS
    for item in (made, service("broker", 9092, clusterIP="None"), service("broker-bootstrap", 19092)):
        await node.apply(item)
    await grant(node, access.VIEWER, read_role())

    async def is_ready() -> bool:
        pods = await node.pods("broker-0")
        slices = (await node.kubectl.get("endpointslices"))["items"]
        ready = {
            one["metadata"]["labels"].get("kubernetes.io/service-name")
            for one in slices
            if any(endpoint["conditions"]["ready"] for endpoint in one["endpoints"] or ())
        }
        return bool(pods) and is_true(pods[0], "Ready") and {"broker", "broker-bootstrap"} <= ready

    await until(is_ready)


def tunnel(node: Node, user: access.User = access.VIEWER) -> PortForward:
    kubeconfig = str(node.plane.kubeconfig(user))
    return PortForward(KubernetesSettings(kubeconfig, timeout_s=DEADLINE_S), "", (NAMESPACE,))


@pytest.mark.parametrize("bootstrap", [HEADLESS, BEFORE_IT, f"{ADVERTISED}:9092"])
async def test_a_broker_is_read_by_its_names_in_the_cluster(
    broker: KafkaBroker, node: Node, bootstrap: str
) -> None:
    """Headless service, service with a port of its own, the pod's name: then by what the broker calls itself."""
    given = KafkaSettings(bootstrap, timeout_s=DEADLINE_S)
    async with member_of("orchestrator-group", broker.bootstrap):
        with kafka.through(tunnel(node)):
            facts = await kafka.read_broker(given, 0)
            reach = await kafka.reach_broker(given)

    assert set(facts.topics["audio-in"].offsets) == {0, 1}
    assert [one.client_id for one in facts.groups["orchestrator-group"].members] == ["pod-1"]
    assert facts.cluster_id == reach.cluster_id != ""
    assert (reach.brokers, reach.unreachable) == ((f"{ADVERTISED}:9092",), ())


@asynccontextmanager
async def member_of(group: str, bootstrap: str) -> AsyncIterator[None]:
    """A consumer of the cluster's own."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, client_id="pod-1")
    consumer.subscribe(["audio-in"])
    try:
        await consumer.start()
        yield
    finally:
        await consumer.stop()


async def test_straight_it_can_not_be_reached(broker: KafkaBroker) -> None:
    """The name means nothing out here: the tunnel is what brought us there, and only while it was asked for."""
    with pytest.raises(SourceError, match="has a name that is not known here"):
        await kafka.read_broker(KafkaSettings(f"{ADVERTISED}:9092", timeout_s=DEADLINE_S), 0)


@pytest.mark.parametrize("verbs", [[], ["get"], ["create"]])
async def test_who_may_not_open_ports_is_told_the_right(
    broker: KafkaBroker, node: Node, verbs: list[str]
) -> None:
    """The API server wants both: get for the request, and since 1.35 create for what it opens."""
    rules = [rule(("get",), "services"), rule(("list",), "endpointslices", "discovery.k8s.io")]
    given = [*rules, rule(verbs, "pods/portforward")] if verbs else rules
    await grant(node, access.OUTSIDER, given)
    await until(lambda: may_list_services(node))

    with kafka.through(tunnel(node, access.OUTSIDER)), pytest.raises(SourceError) as caught:
        await kafka.read_broker(KafkaSettings(HEADLESS, timeout_s=DEADLINE_S), 0)

    told = (
        f"Kafka at {HEADLESS} can not be reached: opening a port of pod {NAMESPACE}/broker-0 is not allowed"
    )
    assert str(caught.value).startswith(told)
    assert f"grant get and create of pods/portforward in {NAMESPACE}" in caught.value.hint


async def may_list_services(node: Node) -> bool:
    """Whether the outsider's role is in force."""
    done = await Kubectl(node.plane, access.OUTSIDER).run("get", "service", "broker")
    return done.returncode == 0


@pytest.mark.parametrize(
    ("bootstrap", "told"),
    [
        ("nothing:9092", f"no pod or service of {NAMESPACE} is called nothing"),
        ("kafka.example.com.:9092", f"no pod or service of {NAMESPACE} is called kafka.example.com"),
        ("broker-1.broker:9092", f"service {NAMESPACE}/broker has no pod broker-1"),
        ("broker-bootstrap:9092", f"service {NAMESPACE}/broker-bootstrap has no port 9092"),
        ("127.9.9.9:9092", f"no running pod of {NAMESPACE} has the address 127.9.9.9"),
        ("broker:9099", "can not be reached"),
    ],
)
async def test_what_leads_nowhere_is_told(broker: KafkaBroker, node: Node, bootstrap: str, told: str) -> None:
    """A name that is none, a pod or port that is not there, a port where nothing listens: one line and a remedy."""
    with kafka.through(tunnel(node)), pytest.raises(SourceError) as caught:
        await kafka.read_broker(KafkaSettings(bootstrap, timeout_s=DEADLINE_S), 0)

    assert str(caught.value).startswith(f"Kafka at {bootstrap} ")
    assert told in str(caught.value)
    assert caught.value.hint


async def test_the_commands_go_that_way(broker: KafkaBroker, node: Node, tmp_path: Path) -> None:
    """Topics are listed, a session's coverage and the doctor say through what the broker was reached."""
    flags = ("--kafka", HEADLESS, "--kafka-via", "port-forward")
    environment = {"KUBECONFIG": str(node.plane.kubeconfig(access.VIEWER)), "DIAG_KAFKA_TIMEOUT_S": "60"}
    log = tmp_path / "log.jsonl"
    log.write_text(LINE, "utf-8")

    commands = (("topics", "-n", NAMESPACE), ("session", S, str(log)), ("doctor",))
    topics, session, doctor = await asyncio.gather(
        *(run_diag(tmp_path, (*words, *flags, "-o", "json"), environment) for words in commands)
    )

    assert {"audio-in", "audio-out"} <= {one["topic"] for one in json.loads(topics)["topics"]}
    (asked,) = [one for one in json.loads(session)["coverage"] if one["source"] == "kafka"]
    assert asked["state"] == "complete"
    assert f"{HEADLESS} through the Kubernetes API (" in asked["asked"]
    (found,) = [one for one in json.loads(doctor)["probes"] if one["name"] == "kafka"]
    assert f"1 broker at {ADVERTISED}:9092" in found["evidence"]
    assert "through the Kubernetes API" in found["evidence"]


async def run_diag(folder: Path, words: tuple[str, ...], environment: dict[str, str]) -> str:
    """What one command writes."""
    done = await asyncio.to_thread(
        subprocess.run,
        (str(Path(sys.executable).with_name("diag")), *words),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


async def test_the_library_still_connects_where_diag_steps_in() -> None:
    """The library has no public way to say how it connects: see route.py."""
    told = "aiokafka connects in another way than route.py thinks: see pyproject"
    assert "await create_conn(" in inspect.getsource(aiokafka.client.AIOKafkaClient.bootstrap), told
    assert "await create_conn(" in inspect.getsource(aiokafka.client.AIOKafkaClient._get_conn), told
    assert "await loop.create_connection(" in inspect.getsource(AIOKafkaConnection.connect), told
    assert "loop = self._loop" in inspect.getsource(AIOKafkaConnection.connect), told
    ours, theirs = (inspect.signature(one).parameters for one in (AIOKafkaConnection, create_conn))
    assert {name: one.default for name, one in ours.items()} == {
        name: one.default for name, one in theirs.items()
    }, told
