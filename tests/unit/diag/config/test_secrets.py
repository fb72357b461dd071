"""What nobody may see is shown nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from diag.config.secrets import is_secret, to_shown


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("kafka.password", "hunter2", "(set)"),
        ("kafka.password", "", ""),
        ("kafka.sasl_secret", ("a", "b"), "(set)"),
        ("kafka.bootstrap", "me:hunter2@broker:9092,other:9092", "***@broker:9092,other:9092"),
        ("logging.endpoint", "https://me@host:1", "https://***@host:1"),
        ("catalogue.files", ("a.toml", "u:p@b"), ("a.toml", "***@b")),
        ("logging.quota", 60, 60),
    ],
)
def test_a_secret_is_only_said_to_be_there(name: str, value: Any, expected: Any) -> None:
    """By the setting's name, and who logs in by an address wherever it stands."""
    assert to_shown(name, value) == expected


def test_no_ordinary_setting_counts_as_secret() -> None:
    """Else it could not be shown."""
    assert not any(map(is_secret, ("kafka.bootstrap", "logging.project", "cluster.namespace")))
