"""Settings of the LLM service."""

from __future__ import annotations

from pipeline.llm.settings import Settings, read_settings
from pipeline.wire.environment import Environment, Listen


def test_settings_come_from_the_environment() -> None:
    """The model's name has a default."""
    assert read_settings(Environment({"PORT": "1"})) == Settings(Listen("127.0.0.1", 1), "restaurant-desk")
    assert read_settings(Environment({"PORT": "1", "LLM_MODEL": "qwen3:0.6b"})).model == "qwen3:0.6b"
