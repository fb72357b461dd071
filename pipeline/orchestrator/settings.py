"""Settings of the orchestrator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.wire.environment import Environment, Kafka, Listen
from pipeline.wire.flite import VOICES

SERVICE = "orchestrator"


@dataclass(frozen=True, slots=True)
class StageSettings:
    """Where the stages are.

    Attributes:
        stt_url: base URL of the STT service (STT_URL).
        llm_url: base URL of an API that speaks OpenAI's chat completions (LLM_URL).
        llm_model: the model to ask it for (LLM_MODEL).
        tts_url: base URL of the TTS service (TTS_URL).
        tts_voice: the voice to ask it for (TTS_VOICE).
    """

    stt_url: str
    llm_url: str
    llm_model: str
    tts_url: str
    tts_voice: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the orchestrator needs to know.

    Attributes:
        listen: where it listens (HOST, PORT).
        kafka: how it reaches Kafka (KAFKA_BOOTSTRAP, POD_NAME); the client ID names this replica.
        stages: where the stages are.
        state: the folder of what it remembers over a restart, its own and no other replica's
            (STATE_DIR); None keeps nothing.
        page_origin: of the deployment's own page (PAGE_ORIGIN).
    """

    listen: Listen
    kafka: Kafka
    stages: StageSettings
    state: Path | None = None
    page_origin: str | None = None


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    stages = StageSettings(
        stt_url=environment.read_url("STT_URL"),
        llm_url=environment.read_url("LLM_URL"),
        llm_model=environment.read_text("LLM_MODEL", "restaurant-desk"),
        tts_url=environment.read_url("TTS_URL"),
        tts_voice=environment.read_choice("TTS_VOICE", "rms", VOICES),
    )
    folder = environment.read_text("STATE_DIR", "")
    return Settings(
        environment.read_listen(),
        environment.read_kafka(SERVICE),
        stages,
        Path(folder) if folder else None,
        environment.read_page_origin(),
    )
