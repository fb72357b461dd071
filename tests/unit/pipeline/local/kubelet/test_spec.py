"""What is read of a manifest, of images, and how times are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.local.back_off import BackOff, RestartPolicy
from pipeline.local.control_plane.network import to_loopback
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.images import ImageStore, PullError
from pipeline.local.kubelet.spec import Exec, HttpGet, Sleep, TcpSocket, read_bytes, read_pod
from pipeline.local.kubelet.times import format_duration

MANIFEST = {
    "metadata": {"namespace": "voice-agent", "name": "p", "uid": "u"},
    "spec": {
        "restartPolicy": "OnFailure",
        "terminationGracePeriodSeconds": 7,
        "containers": [
            {
                "name": "c",
                "image": "voice-agent/x:1",
                "ports": [{"name": "http", "containerPort": 8080}],
                "readinessProbe": {"httpGet": {"port": "http", "path": "/readyz"}, "periodSeconds": 3},
                "livenessProbe": {"tcpSocket": {"port": 9}, "terminationGracePeriodSeconds": 2},
                "startupProbe": {"exec": {"command": ["true"]}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "resources": {"limits": {"memory": "384Mi"}},
            }
        ],
    },
}


def test_a_manifest_is_read_with_its_probes_and_hooks() -> None:
    """Named ports are resolved, quantities are bytes."""
    pod = read_pod(MANIFEST)
    [container] = pod.containers

    assert (pod.full_name, pod.grace_s) == ("p_voice-agent(u)", 7)
    assert [pod.should_restart(code) for code in (0, 1)] == [False, True]
    assert container.probes["readiness"].handler == HttpGet(8080, "/readyz")
    assert container.probes["readiness"].period_s == 3
    assert container.probes["liveness"].handler == TcpSocket(9)
    assert container.probes["liveness"].grace_s == 2
    assert container.probes["startup"].handler == Exec(("true",))
    assert (container.pre_stop, container.memory_bytes) == (Sleep(5), 384 * 2**20)


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("1Ki", 1024),
        ("1.5Gi", 1_610_612_736),
        ("2k", 2000),
        ("7", 7),
        ("1Ti", 2**40),
        ("2e3", 2000),
        ("128000m", 128),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(quantity: str, number: int) -> None:
    """Binary and decimal suffixes."""
    assert read_bytes(quantity) == number


def test_an_image_is_there_once_its_tag_exists(tmp_path: Path) -> None:
    """The same image has the same digest, by which it can be had, too; another tag has another; an unknown one is refused as containerd does."""
    registry = tmp_path / "images.json"

    def offer(*tags: str) -> None:
        registry.write_text(json.dumps({"voice-agent/x": {"tags": tags, "argv": ["true"]}}), "utf-8")

    offer("1")
    store = ImageStore(registry)
    with pytest.raises(PullError, match=r"voice-agent/x:2: not found") as refused:
        store.pull("voice-agent/x:2")
    offer("1", "2")

    assert refused.value.reason == "ErrImagePull"
    assert store.pull("voice-agent/x:1") == ImageStore(registry).pull("voice-agent/x:1")
    assert store.pull("voice-agent/x:1").id != store.pull("voice-agent/x:2").id
    assert store.find("voice-agent/x:2")
    by_digest = store.pull("voice-agent/x:1").id
    assert store.pull(by_digest) == store.pull(by_digest.replace("@", ":9@")) == store.pull("voice-agent/x:1")
    with pytest.raises(PullError, match=r"@sha256:0+: not found"):
        store.pull(f"voice-agent/x@sha256:{'0' * 64}")
    with pytest.raises(PullError) as wrong:
        store.pull("Not An Image")
    assert wrong.value.reason == "InvalidImageName"


def test_two_nodes_of_a_machine_have_different_addresses() -> None:
    """A subnet is claimed as long as its kubelet lives; an address is not given twice."""
    one, other = PodAddresses(), PodAddresses()
    try:
        first, second = one.take(), one.take()
        one.give_back(first)
        assert len({first, second, one.take(), other.take()}) == 4
        assert to_loopback(first).startswith("127.244.")
    finally:
        one.close()
        other.close()


@pytest.mark.parametrize(
    ("seconds", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s"), (0.5, "500ms"), (3600, "1h0m0s")]
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    """They stand in the kubelet's messages."""
    assert format_duration(seconds) == text


def test_an_image_is_waited_for_from_the_first_failure_on() -> None:
    """10 s, 20 s, 40 s, and never more than the longest."""
    back_off = BackOff(RestartPolicy(first_s=10, longest_s=300, stable_s=600), free=0)

    assert [back_off.wait_s(0) for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]
