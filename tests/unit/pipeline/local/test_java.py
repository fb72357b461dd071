from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.local.java import Java, find_java


@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("1.8.0_392", 8)])
def test_major_version(version, major):
    """Both ways in which Java counts its versions are understood."""
    assert Java(Path("/usr/bin/java"), version).major == major


def test_version_is_read_from_the_installation(make_program, monkeypatch):
    """The release file tells the version, and no virtual machine is started for it."""
    java = make_program("java", "exit 9")
    (java.parent.parent / "release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="21.0.2"\n')
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))

    assert find_java() == Java(java, "21.0.2")


def test_java_without_release_file_is_asked(make_program, monkeypatch):
    """A Java that is only a program answers for itself."""
    java = make_program("java", "echo 'openjdk version \"17.0.1\" 2021-10-19' >&2")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))

    assert find_java() == Java(java, "17.0.1")


def test_java_home_comes_first(make_program, monkeypatch, tmp_path):
    """As for every Java program, JAVA_HOME decides before PATH does."""
    make_program("java", "echo 'openjdk version \"17.0.1\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_java() == Java(tmp_path / "bin" / "java", "17.0.1")


def test_no_java(monkeypatch):
    """Where there is none, that is the answer."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_java() is None


def test_java_that_does_not_run_is_none(make_program, monkeypatch):
    """A stub that only tells to install Java, as some systems have it, is no Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(make_program("java", "exit 1").parent))

    assert find_java() is None
