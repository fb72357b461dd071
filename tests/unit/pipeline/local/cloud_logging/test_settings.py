from __future__ import annotations

import pytest

from pipeline.local.cloud_logging.settings import Settings, read_settings
from pipeline.wire.environment import Environment, Listen, SettingsError

NEEDED = {"PORT": "8080", "GOOGLE_CLOUD_PROJECT": "p"}


def test_defaults():
    """Without further settings there is neither a quota nor a delay."""
    assert read_settings(Environment(NEEDED)) == Settings(Listen("127.0.0.1", 8080), "p", 0, 0.0)


def test_quota_and_delay():
    """Both are numbers, the delay with fractions."""
    settings = read_settings(
        Environment({**NEEDED, "READ_REQUESTS_PER_MINUTE": "60", "INGESTION_DELAY_S": "4.5"})
    )

    assert (settings.reads_per_minute, settings.ingestion_delay_s) == (60, 4.5)


@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf"])
@pytest.mark.parametrize("name", ["READ_REQUESTS_PER_MINUTE", "INGESTION_DELAY_S"])
def test_wrong_numbers_are_named(name, value):
    """The error names the variable and its value."""
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        read_settings(Environment({**NEEDED, name: value}))
