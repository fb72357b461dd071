"""What is said of code and manifests, with its references, and never more than was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
from markdown_it import MarkdownIt

from diag.model.cluster import Pod, Workload
from diag.model.cluster_view import ClusterView, PodView, WorkloadView
from diag.model.code import (
    CodeFacts,
    CodePlace,
    Commit,
    FileFact,
    FunctionFact,
    FunctionName,
    LogText,
    Means,
    WrittenText,
)
from diag.model.containers import Container
from diag.model.diagnosis import Diagnosis
from diag.model.manifests import Difference, Drift, Manifest, Manifests
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from diag.render.terminal import WIDTH, render_terminal
from tests.cases import diagnose, read_case_file

CASE = Path(__file__).parents[3] / "checks/id-mismatch/fires-joined-by-trace.case"
SCHEMA = json.loads(resources.files("diag.render").joinpath("session_v1.schema.json").read_text("utf-8"))
BIND = LogText(
    "Received session info from frontend", ("Received session info from frontend",), "orchestrator", "ws.bind"
)
PLACE = CodePlace("o/sockets.py", 7, "Sockets._bind", Means.SYNTAX, "log.info(...)")
CALLER = CodePlace("o/sockets.py", 4, "Sockets.handle", Means.SYNTAX, "self._bind()")
FUNCTION = FunctionFact(FunctionName("Sockets._bind", "o/sockets.py"), "it writes it", (PLACE,))
COMMIT = Commit("a" * 40, 1753610000 * 10**9, "Bind sockets")
FACTS = CodeFacts(COMMIT, "main", 0, searched=9)


def told(facts: CodeFacts = FACTS, **more: object) -> Diagnosis:
    return replace(diagnose(read_case_file(CASE)), code=facts, **more)


def written(place: CodePlace = PLACE, **function: object) -> CodeFacts:
    text = WrittenText(BIND, (place,))
    return replace(
        FACTS,
        texts=(text,),
        functions=(replace(FUNCTION, name=FunctionName(place.function, place.path), **function),),
        by_message={(BIND.service, BIND.text): text},
    )


def row(report: str, words: str) -> str:
    return next(line for line in report.splitlines() if words in line and line.startswith("|"))


SOCKETS = "WebSocket sessions are mapped and cleaned up"


def test_a_caller_is_what_makes_a_statement() -> None:
    """Existing alone is not enough, and a guess is called one."""
    for facts, words in (
        (written(callers=(CALLER,)), "exists and is called in 1 place |"),
        (written(from_tests=2), "exists, **no caller was seen**, 2 in tests |"),
        (written(elsewhere=(CALLER,)), "*whether it is this one is not checked*"),
        (written(called_outside="@app.get may hand it on"), "exists; (at)app.get may hand it on"),
        (written(replace(PLACE, means=Means.TEXT), callers=(CALLER,)), "(by text, no proof)"),
    ):
        line = row(render_markdown(told(facts)), SOCKETS)
        assert words in line, line
        assert "[G1]" in line


def test_what_was_not_looked_through_is_not_absent() -> None:
    """`not seen` needs every file."""
    for facts, words in (
        (FACTS, "*not seen*: no line of 9 files"),
        (replace(FACTS, searched=0), "*not checked: the files of the repository were not looked through*"),
        (
            replace(FACTS, left_out=3),
            "*not checked*: no line of 9 files writes such a text; others were not read",
        ),
    ):
        assert words in row(render_markdown(told(facts)), SOCKETS)


def test_the_commit_is_held_against_the_session_and_its_pods() -> None:
    """A pod that is older than the commit runs something else; of a younger one nothing is known."""
    claim = "the code that was read is the code that ran"
    pod = Pod("v", "o-1", "Running", started_ns=COMMIT.time_ns - 1)
    view = ClusterView("here", 0, None, workloads=(
        WorkloadView(Workload("deployment", "v", "o", 1), (), (PodView("v", "o-1", pod, "", "ready"),)),
    ))  # fmt: skip
    younger = replace(view.workloads[0].pods[0], pod=replace(pod, started_ns=COMMIT.time_ns + 1))
    later = replace(view, workloads=(replace(view.workloads[0], pods=(younger,)),))

    assert "**no**" in row(render_markdown(told(cluster=view)), claim)
    assert "[C" in row(render_markdown(told(cluster=view)), claim)
    assert "*not provable*" in row(render_markdown(told(cluster=later)), claim)
    assert "*not provable*" in row(render_markdown(told()), claim)
    assert "after the session: other code may have run" in render_markdown(
        told(replace(FACTS, commit=replace(COMMIT, time_ns=COMMIT.time_ns + 10**16)))
    )


DIFFERENCE = Difference(
    "deployment",
    "v",
    "o",
    "image of o",
    "r/o:v1",
    "r/o:v2",
    "o.yaml:9",
    "deployment/v/o:image",
    "the tag differs",
)
FILES = Manifests((Manifest("deployment", "v", "o", "o.yaml", 1, containers=(Container("o", "r/o:v1"),)),), 1)


def test_a_difference_is_told_with_both_places_everywhere() -> None:
    """In the report, for programs, and in the terminal's 80 columns."""
    diagnosis = told(manifests=FILES, drift=Drift((DIFFERENCE,), 1, (("service/o", "it stands twice"),)))
    report, shown, answer = (
        render_markdown(diagnosis),
        render_terminal(diagnosis).plain,
        json.loads(render_json(diagnosis)),
    )

    jsonschema.validate(answer, SCHEMA)
    assert answer["manifests"]["live"]["differences"][0]["file"] == "r/o:v1"
    assert "| `deployment/o` | image of o: the tag differs | `r/o:v1` | `r/o:v2` |" in report
    assert "**no**: 1 difference" in row(report, "the cluster has what the manifests ask for")
    assert "- *not compared*: `service/o`: it stands twice" in report
    assert "**M1**" in report
    assert "image of o: r/o:v1 in the file, r/o:v2 live" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= WIDTH


def test_nothing_compared_is_no_yes() -> None:
    """A claim of sameness needs an object on both sides."""
    claim = "the cluster has what the manifests ask for"

    assert "not checked" in row(render_markdown(told(manifests=FILES, drift=Drift())), claim)
    assert "not checked" in row(render_markdown(told(manifests=FILES)), claim)
    assert "yes, 1 objects" in row(render_markdown(told(manifests=FILES, drift=Drift((), 1))), claim)


def test_hostile_names_stay_text() -> None:
    """Paths, functions, branches, subjects and objects are anybody's."""
    evil = "](http://x) <b>|\u202e\x1b[31m`"
    place = replace(PLACE, path=f"{evil}.py", function=evil, text=evil)
    facts = replace(
        written(place, callers=(place,)),
        commit=replace(COMMIT, subject=evil), branch=evil, files=(FileFact(f"{evil}.py", "b" * 40, replace(COMMIT, subject=evil)),),
    )  # fmt: skip
    files = Manifests(
        (
            replace(
                FILES.objects[0], name=evil, path=evil, containers=(Container(evil, evil, variables=(evil,)),)
            ),
        ),
        1,
    )
    diagnosis = told(
        facts,
        manifests=files,
        drift=Drift((replace(DIFFERENCE, name=evil, wanted=evil, note=evil),), 1, ((evil, evil),)),
    )
    report, shown = render_markdown(diagnosis), render_terminal(diagnosis).plain
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(report)
    inline = [child for token in tokens for child in token.children or ()]

    assert not [one for one in (*tokens, *inline) if one.type in ("html_block", "html_inline", "link_open")]
    assert not set("\u202e\x1b") & set(report + shown + render_json(diagnosis))
    assert max(map(len, shown.splitlines())) <= WIDTH
