"""``diag session --repo --manifests``: what a user gets of code and files, and what bad ones give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from tests.repositories import make_repository, write

S = "session_1753615601372_cz4gw0fl5"
SICK, WELL = "id-mismatch/fires-joined-by-trace", "turn-no-reply/quiet-delivered-by-place"
SCHEMA = Path(__file__).parents[2] / "diag/render/session_v1.schema.json"
SOCKETS = """
class Sockets:
    def handle(self):
        self._bind()

    def _bind(self):
        log.info("Received session info from frontend", token="hunter2secret")
"""
MANIFEST = "kind: Deployment\nmetadata: {name: orchestrator, namespace: voice}\nspec: {template: {spec: {containers: [{name: o, image: 'r/o:v1', env: [{name: KEY, value: hunter2secret}]}]}}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small orchestrator, committed before the session."""
    return make_repository(tmp_path / "a repo", {"orchestrator/sockets.py": SOCKETS}, "Bind `what` <comes>")


def test_a_line_of_the_timeline_says_where_it_is_written(diag, logs, workdir: Path, repository: Path) -> None:
    """In the report and for programs; who calls the function, its commit, and no secret of the code."""
    name = logs(SICK)
    done = diag("session", S, name, "--repo", str(repository), "-o", "json", "--report", "r.md")
    answer, report = json.loads(done.stdout), (workdir / "r.md").read_text()
    lines = [one for one in answer["timeline"] if one["event"] == "ws.bind"]
    (function,) = [one for one in answer["code"]["functions"] if one["name"].endswith("_bind")]

    jsonschema.validate(answer, json.loads(SCHEMA.read_text()))
    assert [one["code"] for one in lines] == [["orchestrator/sockets.py:7"]]
    assert [one["ref"] for one in function["callers"]] == ["orchestrator/sockets.py:4"]
    assert answer["code"]["commit"]["subject"] == "Bind `what` <comes>"
    assert "| `orchestrator/sockets.py:7` `Sockets._bind` |" in report
    assert "`Sockets._bind` exists and is called in 1 place" in report
    assert "before the session" in report
    assert "hunter2secret" not in done.stdout + report
    assert "<comes>" not in report.replace("``Bind `what` <comes>``", "")


def test_the_terminal_shows_code_in_a_few_lines(diag, logs, repository: Path) -> None:
    """80 columns; nothing where no repository is named."""
    name = logs(SICK)
    shown = diag("session", S, name, "--repo", str(repository)).stdout
    block = shown.partition("\nCODE\n")[2].partition("\n\n")[0].splitlines()

    assert 2 <= len(block) <= 8
    assert max(map(len, shown.splitlines())) <= 80
    assert "Received session info from frontend: orchestrator/sockets.py:7 in" in shown
    assert "CODE" not in diag("session", S, name).stdout


def test_code_and_files_change_no_verdict_and_the_same_gives_the_same(diag, logs, repository: Path) -> None:
    """The exit code stays, the bytes too."""
    name = logs(WELL)
    write(repository, {"k8s/o.yaml": MANIFEST})
    asked = (
        "session",
        S,
        name,
        "-o",
        "json",
        "--repo",
        str(repository),
        "--manifests",
        str(repository / "k8s"),
    )
    first, second, without = diag(*asked), diag(*asked), diag("session", S, name, "-o", "json")

    assert first.stdout == second.stdout
    assert (first.returncode, json.loads(first.stdout)["verdict"]) == (
        without.returncode,
        json.loads(without.stdout)["verdict"],
    )


def test_manifests_are_told_with_their_places(diag, logs, workdir: Path) -> None:
    """Names of variables, never what they hold; without a cluster nothing is compared."""
    write(workdir, {"k8s/o.yaml": MANIFEST})
    done = diag("session", S, logs(SICK), "--manifests", "k8s", "-o", "json", "--report", "r.md")
    answer, report = json.loads(done.stdout), (workdir / "r.md").read_text()

    assert [(one["ref"], one["containers"][0]["image"]) for one in answer["manifests"]["objects"]] == [
        ("o.yaml:1", "r/o:v1")
    ]
    assert answer["manifests"]["live"] is None
    assert "*not compared: the cluster was not read*" in report
    assert "`KEY`" in report
    assert "hunter2secret" not in done.stdout + report


@pytest.mark.parametrize(
    ("flags", "ends"),
    [
        (("--repo", "gone"), (4, "gone: no such folder; check --repo")),
        (("--repo", "."), (4, "no git repository")),
        (("--manifests", "gone"), (4, "gone: no such folder; check --manifests")),
        (("--manifests", "empty"), (4, "holds no YAML file")),
        (("--manifests", "half"), (5, "a Helm template")),
    ],
)
def test_a_source_that_fails_is_told_and_costs_nothing_else(
    diag, logs: Callable[[str], str], workdir: Path, flags: tuple[str, ...], ends: tuple[int, str]
) -> None:
    """4 for one that failed, 5 for a part; a finding would win."""
    code, said = ends
    (workdir / "empty").mkdir()
    write(workdir, {"half/a.yaml": MANIFEST, "half/b.yaml": "{{- if x }}\n"})
    done = diag("session", S, logs(WELL), *flags, "--report", "r.md")

    assert done.returncode == code, done.stdout + done.stderr
    assert said in " ".join(done.stdout.split())
    assert "HEALTHY" in done.stdout
    assert "not checked" in (workdir / "r.md").read_text() or code == 5


def test_the_settings_name_them_too(diag, logs, workdir: Path, repository: Path) -> None:
    """Flag over environment over file, a path beside the file; `diag config show` tells which."""
    write(
        workdir,
        {"set/diag.toml": f'[repo]\npath = "{repository}"\nfiles = ["orchestrator/sockets.py", "GONE.md"]\n'},
    )
    name = logs(SICK)
    by_file = json.loads(diag("session", S, name, "-o", "json", "--config", "set/diag.toml").stdout)
    by_variable = json.loads(diag("session", S, name, "-o", "json", DIAG_REPO_PATH=str(repository)).stdout)
    shown = diag("config", "show", DIAG_MANIFESTS_PATH="k8s").stdout

    assert {one["path"]: bool(one["blob"]) for one in by_file["code"]["files"]} == {
        "orchestrator/sockets.py": True,
        "GONE.md": False,
    }
    assert by_variable["code"]["commit"] == by_file["code"]["commit"]
    assert "k8s" in shown
