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


def test_kafka_has_no_default() -> None:
    """A media server that publishes nowhere is none."""
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP is not set"):
        read_settings(Environment({"PORT": "8001"}))
