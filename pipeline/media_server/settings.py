"""Settings of the media server."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Kafka, Listen
from pipeline.wire.records import MEDIA_SERVER_GROUP

SERVICE = "media-server"

# Below, a lost packet or two would end a call; above, a dead one would be kept for no use.
_PATIENCE_S = (2.0, 300.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the media server is told.

    Attributes:
        listen: HOST, PORT.
        kafka: KAFKA_BOOTSTRAP, POD_NAME.
        page_origin: of the deployment's own page (PAGE_ORIGIN).
        client_lost_s: a client that has not answered for so long is gone (CLIENT_LOST_S, default 30).
        reply_group: the consumer group in which it reads all of audio-out (REPLY_GROUP). Replicas that
            share one take each other's replies away: each needs its own, called
            ``media-server-group.<pod>``.
    """

    listen: Listen
    kafka: Kafka
    client_lost_s: float = 30.0
    reply_group: str = MEDIA_SERVER_GROUP
    page_origin: str | None = None


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(
        environment.read_listen(),
        environment.read_kafka(SERVICE),
        environment.read_seconds("CLIENT_LOST_S", 30.0, _PATIENCE_S),
        environment.read_text("REPLY_GROUP", MEDIA_SERVER_GROUP),
        environment.read_page_origin(),
    )
