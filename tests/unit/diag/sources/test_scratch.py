"""The folder of what does not fit into memory: gone when the work is done, or else with the next run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diag.errors import SourceError
from diag.sources.scratch import open_scratch, remove_open

OWNER = """
from diag.sources.scratch import open_scratch
with open_scratch() as folder:
    (folder / "0.arrow").write_bytes(b"x")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    """Another run, that has a folder open."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def folder_of(owner: subprocess.Popen[str]) -> Path:
    assert owner.stdout is not None
    return Path(owner.stdout.readline().strip())


def test_the_folder_is_private_and_gone_at_the_end(parent: Path) -> None:
    """With all that it holds, if the work fails, too."""

    def fail() -> None:
        with open_scratch() as folder:
            assert folder.parent == parent
            assert folder.stat().st_mode & 0o777 == 0o700
            assert str(os.getpid()) in folder.name
            (folder / "0.arrow").write_bytes(b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(parent.iterdir())


def test_the_folder_of_a_killed_run_is_removed_by_the_next(owner: subprocess.Popen[str]) -> None:
    """SIGKILL lets nobody clean up."""
    left = folder_of(owner)
    owner.kill()
    owner.wait()
    assert left.exists()

    with open_scratch() as folder:
        assert not left.exists()
        assert folder.exists()


def test_the_folder_of_a_run_that_goes_on_stays(owner: subprocess.Popen[str]) -> None:
    """However many runs come and go, and one's own stays, too."""
    used = folder_of(owner)
    with open_scratch() as first:
        with open_scratch():
            pass
        assert (used / "0.arrow").exists()
        assert first.exists()


def test_what_is_not_ours_stays(parent: Path, tmp_path: Path) -> None:
    """By name, by its lock, or because it leads elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere, parent / "diag-report", parent / "diag-1-short", parent / "other"):
        folder.mkdir()
        (folder / "lock").touch()
    (parent / "diag-1-unlocked").mkdir()
    (parent / "diag-1-alinkaaa").symlink_to(elsewhere)
    (parent / "diag-1-alockaaa").mkdir()
    (parent / "diag-1-alockaaa" / "lock").symlink_to(elsewhere / "lock")
    (parent / "diag-1-afileaaa").touch()
    before = set(parent.rglob("*"))

    with open_scratch():
        pass

    assert set(parent.rglob("*")) == before
    assert (elsewhere / "lock").exists()


def test_all_that_is_open_can_be_removed_at_once(parent: Path) -> None:
    """Where the process ends without unwinding."""
    with open_scratch() as folder:
        remove_open()
        assert not folder.exists()
    assert not list(parent.iterdir())


def test_no_folder_is_an_error_with_a_way_out(parent: Path) -> None:
    """One line, not a traceback."""
    parent.rmdir()
    with pytest.raises(SourceError, match="no temporary folder"), open_scratch():
        pass
