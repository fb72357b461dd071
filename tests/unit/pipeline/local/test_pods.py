from __future__ import annotations

import re

import pytest

from pipeline.local.pods import ALPHABET, Deployment, mint_pod, read_deployment


def test_name_has_the_form_of_a_deployments_pod():
    """A pod's name is deployment, ten characters of template hash, five of suffix, all of the alphabet."""
    pod = mint_pod("stt-service", "voice-agent", "template")

    assert re.fullmatch(rf"stt-service-[{ALPHABET}]{{10}}-[{ALPHABET}]{{5}}", pod.name)
    assert pod.container == "stt-service"


def test_template_decides_the_hash_only():
    """Pods of one template share the hash; suffix and UID are each pod's own."""
    first, second = mint_pod("llm", "ns", "a"), mint_pod("llm", "ns", "a")
    other = mint_pod("llm", "ns", "b")

    assert first.name.split("-")[1] == second.name.split("-")[1] != other.name.split("-")[1]
    assert first.name != second.name
    assert first.uid != second.uid


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orchestrator-5c9b7f6d84-q8wzn", Deployment("orchestrator", "5c9b7f6d84")),
        ("media-server-6f46659ddf-n25zw", Deployment("media-server", "6f46659ddf")),
        ("a-b-7f6d8448-q8wzn", Deployment("a-b", "7f6d8448")),
        ("redpanda-0", None),
        ("kube-proxy-gke-pool-1-abcde", None),
        ("job-aeiou01345-q8wzn", None),
    ],
)
def test_deployment_is_read_back_from_a_name(name, expected):
    """Deployment and hash are found where a deployment made the pod, and nowhere else."""
    assert read_deployment(name) == expected
