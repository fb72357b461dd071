from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.local.control_plane import programs as under_test
from pipeline.local.control_plane.programs import (
    PROGRAMS,
    Programs,
    build_programs,
    find_go_fault,
    find_programs,
    read_version,
)
from pipeline.local.errors import StackError

# what Go does, as far as the cache can see it
BUILDS = f"""
test "$1" = env && {{ echo go1.30.1; exit 0; }}
echo "$@" >> "$(dirname "$0")/../runs"
while test "$1" != -o; do shift; done
for program in {" ".join(PROGRAMS)}; do echo x > "$2$program"; done
"""
FAILS = 'test "$1" = env && { echo go1.30.1; exit 0; }; echo "go: verifying module: checksum mismatch" >&2; exit 1'


@pytest.fixture
def programs(tmp_path):
    return Programs(tmp_path / "cache" / "v1.2.3-abc")


@pytest.fixture
def path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")


def list_around(programs):
    return sorted(path.name for path in programs.root.parent.iterdir())


def test_place_names_the_version_and_the_module(monkeypatch, tmp_path):
    """Another version, or another line in the module, is another place."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    first = find_programs().root
    module = tmp_path / "go"
    module.mkdir()
    (module / "go.mod").write_text("go 1.30.0\nrequire k8s.io/kubernetes v9.8.7\n")
    monkeypatch.setattr(under_test, "_MODULE", module)
    second = find_programs().root
    (module / "main.go").write_text("package main\n")

    assert first.parent == Path("/elsewhere/diag-pipeline/control-plane")
    assert re.fullmatch(r"v1\.\d+\.\d+-[0-9a-f]{12}", first.name)
    assert second.name.startswith("v9.8.7-")
    assert find_programs().root != second


def test_programs_are_built_once_with_their_version(programs, make_program, path, tmp_path):
    """Go runs the first time only, and stamps the release where Kubernetes looks for it."""
    make_program("go", BUILDS)

    build_programs(programs)
    build_programs(programs)

    (run,) = (tmp_path / "runs").read_text().splitlines()
    assert f"-X k8s.io/component-base/version.gitVersion={read_version()}" in run
    assert programs.are_built
    assert all(programs.path(program).exists() for program in PROGRAMS)
    assert list_around(programs) == ["v1.2.3-abc", "v1.2.3-abc.lock"]


def test_failed_build_leaves_no_programs(programs, make_program, path):
    """Half a build is none, and Go's own reason is in the one line of the error."""
    make_program("go", FAILS)

    with pytest.raises(StackError, match=r"Go could not build Kubernetes v1\S+: go: verifying .* mismatch$"):
        build_programs(programs)

    assert list_around(programs) == ["v1.2.3-abc.lock"]


def test_rest_of_a_killed_build_is_no_obstacle(programs, make_program, path):
    """What a killed builder has left beside its place is cleared away."""
    make_program("go", BUILDS)
    left = programs.root.with_name(f"{programs.root.name}.partial")
    (left / "bin").mkdir(parents=True)
    (left / "bin" / "etcd").write_text("half")

    build_programs(programs)

    assert programs.path("etcd").read_text() == "x\n"


@pytest.mark.parametrize(
    ("answer", "fault"), [("go1.19.8", "Go 1.19.8, 1.26.0 or newer is needed"), ("go1.100.0", None)]
)
def test_old_go_is_named(make_program, path, answer, fault):
    """A Go that is older than the module asks for is found out before anything is fetched."""
    make_program("go", f"echo {answer}")

    assert find_go_fault() == fault


def test_missing_go_is_named(programs, monkeypatch, tmp_path):
    """Without Go the error says what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StackError, match="built by Go: no go on PATH"):
        build_programs(programs)


def test_the_module_holds_no_address():
    """Modules come from where the machine's own Go gets them: no address, no folder of a machine."""
    files = [file for file in under_test._MODULE.rglob("*") if file.is_file()]

    assert {file.parent.name for file in files if file.suffix == ".go"} == set(PROGRAMS)
    assert not [file for file in files if re.search(r"https?://|=>\s*[./]", file.read_text("utf-8"))]
