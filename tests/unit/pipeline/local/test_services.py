"""Replicas: as many as asked for, each with what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.local.errors import StackError
from pipeline.local.plan import Plan, with_replicas
from pipeline.local.services import SERVICES, build_environment, read_replicas

PORTS = {service.key: 8000 + number for number, service in enumerate(SERVICES)}


def test_counts_are_read():
    """As they are typed."""
    assert read_replicas("") == {}
    assert read_replicas("orchestrator=2, media-server=3") == {"orchestrator": 2, "media-server": 3}


@pytest.mark.parametrize(
    "text", ["orchestrator", "orchestrator=0", "orchestrator=x", "orchestrator=99", "=2,"]
)
def test_what_is_no_count_is_one_line(text):
    """With what was typed."""
    with pytest.raises(StackError):
        with_replicas(Plan(), read_replicas(text))


def test_a_service_that_cannot_be_shared_out_is_named():
    """It would be started for nothing: nobody would ask the second one."""
    with pytest.raises(StackError, match="stt-service has one replica"):
        with_replicas(Plan(), {"stt-service": 2})


def test_each_orchestrator_has_speech_to_work_on():
    """Whoever joins a group of more members than partitions gets none."""
    plan = with_replicas(Plan(), {"orchestrator": 3})
    partitions = {topic.name: topic.partitions for topic in plan.topics}

    assert partitions["audio-in"] == 6
    assert {topic.name: topic.partitions for topic in plan.wanted}["audio-in"] == 6
    assert [service.key for service in plan.services if service.name == "orchestrator"] == [
        "orchestrator",
        "orchestrator-2",
        "orchestrator-3",
    ]


def test_replicas_share_no_state_and_no_group():
    """Two would overwrite each other's memory, or take each other's replies away."""
    plan = with_replicas(Plan(), {"orchestrator": 2, "media-server": 2})
    ports = {service.key: 8000 for service in plan.services}
    built = [
        build_environment(service, service.key, ports, "127.0.0.1:9", {}, state=Path("state"))
        for service in plan.services
    ]

    assert {"state/orchestrator", "state/orchestrator-2"} < {one["STATE_DIR"] for one in built}
    assert len({one["STATE_DIR"] for one in built}) == len(built)
    assert [one["REPLY_GROUP"] for one in built if "REPLY_GROUP" in one] == [
        "media-server-group.media-server",
        "media-server-group.media-server-2",
    ]


def test_a_single_media_server_reads_under_the_well_known_name():
    """The one that diag expects of every deployment."""
    (service,) = (service for service in SERVICES if service.name == "media-server")

    assert "REPLY_GROUP" not in build_environment(
        service, "pod", PORTS, "127.0.0.1:9", {}, state=Path("state")
    )
