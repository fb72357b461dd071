"""The wheel works where there is no checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.cases import read_case_file

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests/checks/id-mismatch/fires-joined-by-trace.case"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the built wheel; the libraries are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env/bin/python"
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True
    )
    # Path files inside a folder that a path file names are not read, so the checkout stays unknown.
    packages = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    Path(packages, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "env/bin"


@pytest.fixture(autouse=True)
def _away_from_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell's own path for modules would lead back to it."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


def test_the_installed_program_renders_a_report_far_from_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    """Templates, catalogue, topics and schema are inside."""
    entries = read_case_file(CASE).entries
    (tmp_path / "a.json").write_text(json.dumps(entries))

    where = subprocess.run(
        [str(installed / "python"), "-c", "import diag; print(diag.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    done = subprocess.run(
        [str(installed / "diag"), "session", "session_1753615601372_cz4gw0fl5", "a.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert str(ROOT) not in where
    assert done.returncode == 12, done.stderr
    assert "id-mismatch" in (tmp_path / "reports/session_1753615601372_cz4gw0fl5.md").read_text()


def test_the_pipeline_is_not_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """It stays beside the tool, in the checkout."""
    done = subprocess.run(
        [str(installed / "python"), "-c", "import pipeline"], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode != 0
