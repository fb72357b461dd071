"""Settings of the media server."""

from __future__ import annotations

import pytest

from pipeline.media_server.settings import Settings, read_settings
from pipeline.wire.environment import Environment, Kafka, Listen, SettingsError


def test_settings_come_from_the_environment() -> None:
    """Host and pod have defaults."""
    environment = Environment({"PORT": "8001", "KAFKA_BOOTSTRAP": "127.0.0.1:9092"})

    assert read_settings(environment) == Settings(
        Listen("127.0.0.1", 8001), Kafka("127.0.0.1:9092", "media-server")
    )


def test_a_replica_reads_replies_in_a_group_of_its_own() -> None:
    """Where it is told to; alone it has the well-known one."""
    known = {"PORT": "8001", "KAFKA_BOOTSTRAP": "127.0.0.1:9092"}

    assert read_settings(Environment(known)).reply_group == "media-server-group"
    assert read_settings(Environment({**known, "REPLY_GROUP": "x.pod"})).reply_group == "x.pod"


def test_kafka_has_no_default() -> None:
    """A media server that publishes nowhere is none."""
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP is not set"):
        read_settings(Environment({"PORT": "8001"}))


@pytest.mark.parametrize("text", ["soon", "nan", "1", "301", "-5"])
def test_patience_with_clients_has_bounds(text: str) -> None:
    """Neither a lost packet ends a call, nor is a dead one kept for long."""
    known = {"PORT": "8001", "KAFKA_BOOTSTRAP": "127.0.0.1:9092"}

    assert read_settings(Environment({**known, "CLIENT_LOST_S": "12.5"})).client_lost_s == 12.5
    with pytest.raises(SettingsError, match="CLIENT_LOST_S"):
        read_settings(Environment({**known, "CLIENT_LOST_S": text}))
