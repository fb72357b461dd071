"""``--explain-plan`` as users run it: what would be asked, and nothing is."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from tests.cli.test_session import SICK, S, one_line

SCHEMA = json.loads(resources.files("diag.render").joinpath("plan_v1.schema.json").read_text("utf-8"))
# nobody listens there: a request would end with exit 4
LIVE = ("--project", "p", "--logging-endpoint", "http://127.0.0.1:9", "--explain-plan")


@pytest.mark.parametrize("command", [("session", S), ("sessions",)])
def test_the_plan_costs_nothing_and_is_no_failure(diag, workdir, command: tuple[str, ...]) -> None:
    """Exit 0, no report; all but the filters in 80 columns."""
    done = diag(*command, *LIVE)

    assert (done.returncode, done.stderr) == (0, "")
    assert "none of them sent" in done.stdout
    assert all(len(line) <= 80 or "resource.type=" in line for line in done.stdout.splitlines())
    assert list(workdir.iterdir()) == []


@pytest.mark.parametrize("command", [("session", S), ("sessions",)])
def test_the_plan_for_machines_is_of_its_schema(diag, command: tuple[str, ...]) -> None:
    """`jq` reads what a run would cost."""
    plan = json.loads(diag(*command, *LIVE, "--quota", "7", "-o", "json").stdout)

    jsonschema.validate(plan, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert plan["requests"]["most_wait_s"] == (plan["requests"]["most"] - 1) // 7 * 60


@pytest.mark.parametrize("command", [("session", S), ("sessions",)])
def test_the_filters_can_be_checked_as_they_are_printed(diag, command: tuple[str, ...]) -> None:
    """For people and for machines: `diag lql check` finds nothing wrong with any of them."""
    shown = [line for line in diag(*command, *LIVE).stdout.splitlines() if "resource.type=" in line]
    plan = json.loads(diag(*command, *LIVE, "-o", "json").stdout)
    printed = [text for query in plan["queries"] for text in query["filters"]]

    assert len(shown) == len(printed) == plan["requests"]["least"]
    for text in (*shown, *printed):
        done = diag("lql", "check", "-", stdin=text.encode())
        assert (done.returncode, done.stderr) == (0, "")


def test_several_projects_are_asked_in_one_request(diag) -> None:
    """Given again, with commas, or as a view; the plan names all, and costs what one project would."""
    view = "projects/logs/locations/global/buckets/b/views/_AllLogs"
    one = json.loads(diag("sessions", *LIVE, "-o", "json").stdout)
    done = diag("sessions", *LIVE, "--project", "q,r", "--project", view, "-o", "json")
    several = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert several["where"] == f"p,q,r,{view}"
    assert several["requests"]["least"] == one["requests"]["least"]
    assert any("each project by itself" in note for note in several["notes"])
    assert not any("each project by itself" in note for note in one["notes"])


KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: local
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts:
- {name: local, context: {cluster: c, user: u}}
- {name: gke_shop_europe-west1_voice, context: {cluster: c, user: u, namespace: agents}}
"""


@pytest.mark.parametrize("command", [("session", S), ("sessions",), ("find", "abc")])
def test_the_chosen_context_says_where_to_look(diag, workdir, command: tuple[str, ...]) -> None:
    """One of GKE's names project, location, cluster and namespace; of another one the pods are read."""
    (workdir / "kube").write_text(KUBECONFIG)
    told = (*command, "--kubeconfig", "kube", "--explain-plan", "-o", "json")

    google = json.loads(diag(*told, "--context", "gke_shop_europe-west1_voice").stdout)
    local = json.loads(diag(*told, "--context", "local").stdout)
    chosen = json.loads(
        diag(*told, "--context", "gke_shop_europe-west1_voice", "--logs-from", "kubernetes").stdout
    )

    assert google["where"] == "shop/europe-west1/voice/agents"
    for plan in (local, chosen):
        assert plan["queries"] == []
        assert any("read from their nodes" in note for note in plan["notes"])


def test_a_cache_that_can_not_be_used_is_said(diag, workdir) -> None:
    """Then the plan costs more than it might, and says why."""
    (workdir / ".cache/diag").mkdir(parents=True)
    (workdir / ".cache/diag").chmod(0o777)

    for command in (("session", S), ("sessions",)):
        plan = json.loads(diag(*command, *LIVE, "-o", "json").stdout)
        assert "others may write to it" in plan["notes"][0]


def test_files_cost_no_request(diag, logs) -> None:
    """And are not read for the plan."""
    for command in (("session", S), ("sessions",)):
        done = diag(*command, logs(SICK), "--explain-plan")
        assert done.returncode == 0
        assert "No request to Cloud Logging" in done.stdout


def test_what_a_run_would_refuse_its_plan_refuses(diag) -> None:
    """Exit 2 in one line, before anything is planned."""
    for words in (
        ("session", S),
        ("session", "4bf92f3577b34da6a3ce929d0e0e4736", "--project", "p"),
        ("session", S, "--project", "p", "--kafka", "broker"),
        ("session", S, "--project", "p", "-o", "markdown"),
        ("sessions", "--project", "p", "--cause", "id-mismach"),
    ):
        done = diag(*words, "--explain-plan")
        assert done.returncode == 2, words
        assert one_line(done.stderr), words
