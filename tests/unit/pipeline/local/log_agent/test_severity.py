from __future__ import annotations

import pytest

from pipeline.local.log_agent.severity import parse_severity


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("INFO", "INFO"),
        ("info", "INFO"),
        (" Warning ", "WARNING"),
        ("warn", "WARNING"),
        ("fatal", "CRITICAL"),
        ("err", "ERROR"),
        ("severe", "ERROR"),
        ("trace", "DEBUG"),
        ("emerg", "EMERGENCY"),
        ("E", "ERROR"),
        ("f", "CRITICAL"),
        (200, "INFO"),
        ("450", "WARNING"),
        (99, "DEFAULT"),
        (9999, "EMERGENCY"),
        ("9" * 10_000, "EMERGENCY"),
        ("loud", "DEFAULT"),
        ("", "DEFAULT"),
        (None, "DEFAULT"),
        ({"a": 1}, "DEFAULT"),
        ("٣٠٠", "DEFAULT"),
    ],
)
def test_severity_is_understood(value, expected):
    """Words in any case, their synonyms, and numbers; what is unknown is DEFAULT and no error."""
    assert parse_severity(value) == expected
