"""What every test can rely on: a scrubbed environment, and parts that are there or reported missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.local.parts import missing_parts

# How long an example takes is the machine's matter; speed is measured in tests/bench. Under CI the examples are the
# same ones each time, so that a change is judged by what it changes; those of a person's own runs differ, and look for more.
settings.register_profile("diag", deadline=None)
settings.register_profile("diag-ci", deadline=None, derandomize=True)
settings.load_profile("diag-ci" if os.environ.get("CI") == "true" else "diag")

_SCRUBBED_PREFIXES = ("DIAG_", "KAFKA_", "GOOGLE_", "CLOUDSDK_", "OTEL_")
_SCRUBBED = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "TERMINAL_WIDTH")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose part is missing is skipped with the reason; in CI that is a failure."""
    for marker in item.iter_markers("part"):
        reason = missing_parts(marker.args).get(marker.args[0])
        if reason is None:
            continue
        if os.environ.get("CI") == "true":
            pytest.fail(f"under CI every part must be there: {reason}", pytrace=False)
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def _scrubbed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person or machine that runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(_SCRUBBED_PREFIXES) or name in _SCRUBBED:
            monkeypatch.delenv(name)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
