from __future__ import annotations

import json

import pytest

from pipeline.local.errors import StackError
from pipeline.local.manifests import NEXT_TAG, build_kafka_slice, select, write_images
from pipeline.local.services import Service

STT = Service("stt-service", ("python", "-m", "stt"))


def item(kind, name, image=""):
    template = {"spec": {"containers": [{"name": name, "image": image}]}}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": template}}


ITEMS = [
    item("ConfigMap", "voice-agent"),
    item("Deployment", "stt-service", "voice-agent/stt-service:1.2.3"),
    item("Service", "stt-service"),
    item("HorizontalPodAutoscaler", "stt-service"),
    item("Deployment", "other", "voice-agent/other:1.2.3"),
    item("Service", "other"),
]


def test_what_the_cluster_cannot_have_is_left_out():
    """No autoscaler, which nothing would feed, and no trace of a workload without a program."""
    kept = [(one["kind"], one["metadata"]["name"]) for one in select(ITEMS, [STT])]

    assert kept == [("ConfigMap", "voice-agent"), ("Deployment", "stt-service"), ("Service", "stt-service")]


def test_images_are_those_of_the_manifests_and_the_next(tmp_path):
    """The tag that is applied can be pulled, and one to roll out to; each runs its service's program."""
    write_images(tmp_path / "images.json", select(ITEMS, [STT]), [STT])

    assert json.loads((tmp_path / "images.json").read_text()) == {
        "voice-agent/stt-service": {"tags": ["1.2.3", NEXT_TAG], "argv": ["python", "-m", "stt"]}
    }


def test_the_broker_beside_the_cluster_is_an_endpoint():
    """It is named by the cluster's network; one that is elsewhere cannot be."""
    endpoint = build_kafka_slice("127.0.0.1:20002")

    assert endpoint["endpoints"][0]["addresses"] == ["10.0.0.1"]
    assert endpoint["ports"] == [{"name": "kafka", "port": 20002}]
    with pytest.raises(StackError, match=r"at 127\.0\.0\.0/8, not at broker$"):
        build_kafka_slice("broker:9092")
