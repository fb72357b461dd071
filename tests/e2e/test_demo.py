"""What ``make demo`` and ``make demo-topics`` promise."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import run

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(600)]


def test_the_demo_ends_with_both_verdicts_on_the_screen_and_both_reports_on_disk(tmp_path: Path) -> None:
    """One healthy, one broken by its confirmed cause, the missing topic standing in both; nothing is left."""
    done = run(sys.executable, "-m", "pipeline", "demo", cwd=tmp_path, timeout=500)

    assert done.returncode == 0, done.stderr
    assert re.findall(r"^(HEALTHY|BROKEN)", done.stdout, re.MULTILINE) == ["HEALTHY", "BROKEN"]
    assert "id-mismatch, confirmed" in done.stdout
    assert done.stdout.count("stt-results does not exist") == 2
    reports = sorted((tmp_path / "reports").iterdir())
    endings = [report.read_text().splitlines()[-1] for report in reports]
    assert endings == ["**Status: HEALTHY**", "**Status: BROKEN**"]
    assert all("stt-results does not exist" in report.read_text() for report in reports)
    assert not (tmp_path / ".stack/stack.json").exists()


def test_a_lost_audio_topic_is_found_repaired_and_a_call_goes_through(tmp_path: Path) -> None:
    """The check fails, the creation names the consumers, and after their restart all is well."""
    done = run(sys.executable, "-m", "pipeline", "demo", "topics", cwd=tmp_path, timeout=500)

    assert done.returncode == 0, done.stderr
    assert "missing   audio-in" in done.stdout
    assert "created audio-in" in done.stdout
    assert "kubectl rollout restart deployment/orchestrator" in done.stdout
    assert "HEALTHY" in done.stdout
