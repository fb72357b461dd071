"""Settings of the orchestrator."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.orchestrator.settings import read_settings
from pipeline.wire.environment import Environment, SettingsError

GIVEN = {
    "PORT": "8001",
    "KAFKA_BOOTSTRAP": "127.0.0.1:9092",
    "STT_URL": "http://127.0.0.1:8002/",
    "LLM_URL": "http://127.0.0.1:8003",
    "TTS_URL": "http://127.0.0.1:8004",
}


def test_settings_come_from_the_environment() -> None:
    """The model and the voice have defaults that fit the bundled services."""
    settings = read_settings(Environment(GIVEN))

    assert settings.stages.stt_url == "http://127.0.0.1:8002"
    assert (settings.stages.llm_model, settings.stages.tts_voice) == ("restaurant-desk", "rms")
    assert settings.kafka.client_id == "orchestrator"


def test_state_is_kept_where_it_is_said_to_be() -> None:
    """Without a folder nothing is kept over a restart."""
    assert read_settings(Environment({**GIVEN, "STATE_DIR": "state/a"})).state == Path("state/a")
    assert read_settings(Environment(GIVEN)).state is None


@pytest.mark.parametrize("name", GIVEN)
def test_the_others_have_no_default(name: str) -> None:
    """The error names what is missing."""
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        read_settings(Environment({**GIVEN, name: ""}))


def test_a_stage_elsewhere_is_refused() -> None:
    """Neither audio nor text leaves the machine."""
    with pytest.raises(SettingsError, match="LLM_URL"):
        read_settings(Environment({**GIVEN, "LLM_URL": "http://192.0.2.7:80"}))
