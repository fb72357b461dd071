from __future__ import annotations

import pytest

from pipeline.local.cloud_logging.settings import Settings, read_settings
from pipeline.local.cloud_logging.switches import Switches
from pipeline.wire.environment import Environment, Listen, SettingsError

NEEDED = {"PORT": "8080", "GOOGLE_CLOUD_PROJECT": "p"}


def test_defaults():
    """Without further settings there is neither a quota nor a delay, nor a place to change that."""
    assert read_settings(Environment(NEEDED)) == Settings(Listen("127.0.0.1", 8080), ("p",), Switches())


def test_several_projects():
    """One server holds what several projects have."""
    assert read_settings(Environment({**NEEDED, "GOOGLE_CLOUD_PROJECT": "p, q"})).projects == ("p", "q")


def test_switches_and_their_place():
    """Each switch is a variable of its name in capitals; numbers may have fractions where seconds do."""
    settings = read_settings(
        Environment(
            {
                **NEEDED,
                "READ_REQUESTS_PER_MINUTE": "60",
                "INGESTION_DELAY_S": "4.5",
                "REFUSE_READS": "UNAVAILABLE*2",
                "ADMIN_PORT": "0",
            }
        )
    )

    assert settings.switches == Switches(
        read_requests_per_minute=60, ingestion_delay_s=4.5, refuse_reads="UNAVAILABLE*2"
    )
    assert settings.admin_port == 0


@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf"])
@pytest.mark.parametrize("name", ["READ_REQUESTS_PER_MINUTE", "INGESTION_DELAY_S"])
def test_wrong_numbers_are_named(name, value):
    """The error names the switch and its value."""
    with pytest.raises(SettingsError, match=f"{name.lower()}='{value}'"):
        read_settings(Environment({**NEEDED, name: value}))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GOOGLE_CLOUD_PROJECT", " , ", "names no project"),
        ("ADMIN_PORT", "x", "ADMIN_PORT='x'"),
        ("REFUSE_READS", "SOMETIMES", "refuse_reads: 'SOMETIMES' is no order"),
    ],
)
def test_what_else_is_wrong_is_named(name, value, words):
    """In one line, before anything listens."""
    with pytest.raises(SettingsError, match=words):
        read_settings(Environment({**NEEDED, name: value}))
