"""``diag doctor`` on code and manifests: what can be read, and what to do about the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from diag.app.doctor.blueprint import BlueprintProbes
from diag.errors import SourceError
from diag.model.checkup import Health
from diag.model.settings import ManifestSettings, RepoSettings, Settings
from tests.repositories import make_repository, write


def probes(repo: str = "", manifests: str = "") -> BlueprintProbes:
    return BlueprintProbes(Settings(repo=RepoSettings(path=repo), manifests=ManifestSettings(manifests)))


def test_nothing_named_is_nothing_asked() -> None:
    """With the flag that would name it."""
    for answer in (probes().repository(), probes().manifests()):
        assert answer.state is Health.NOT_ASKED
        assert answer.remedy.startswith("--")


def test_a_repository_is_told_and_what_differs_from_it(tmp_path: Path) -> None:
    """What is committed is read; what is not may be what runs."""
    folder = make_repository(tmp_path / "r", {"a.py": "1\n"})
    assert probes(str(folder)).repository().state is Health.OK
    write(folder, {"a.py": "2\n"})
    assert "1 are not as committed" in probes(str(folder)).repository().evidence
    with pytest.raises(SourceError):
        probes(str(tmp_path)).repository()


def test_manifests_are_counted_and_what_is_no_yaml_makes_a_part(tmp_path: Path) -> None:
    """Nothing to read at all fails, with what to do."""
    write(tmp_path, {"a.yaml": "kind: Service\nmetadata: {name: a}\n"})
    assert probes(manifests=str(tmp_path)).manifests().evidence.endswith("1 objects in 1 files")
    write(tmp_path, {"b.yaml": "{{ x\n"})
    assert probes(manifests=str(tmp_path)).manifests().partial
    gone = probes(manifests=str(tmp_path / "gone")).manifests()
    assert (gone.state, gone.remedy) == (Health.FAILED, "check --manifests")
