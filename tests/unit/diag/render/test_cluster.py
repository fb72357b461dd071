"""The cluster in a session's answer: on the terminal, in the report, for machines."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema

from diag.cluster import look_back
from diag.model.cluster import (
    Autoscaler,
    ClusterEvent,
    ClusterFacts,
    Endpoints,
    Pod,
    Revision,
    Service,
    Workload,
)
from diag.model.containers import Condition, Container, ContainerStatus, Ending
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S
from diag.model.window import MINUTE_NS, Window
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from diag.render.terminal import render_terminal
from tests.cases import START_NS, diagnose, read_case_file

SCHEMA = json.loads(resources.files("diag.render").joinpath("session_v1.schema.json").read_text("utf-8"))
CASE = Path(__file__).parents[3] / "checks/turn-no-reply/fires-withheld.case"
HOUR = 60 * MINUTE_NS
HOSTILE = "\x1b[31m\u202e<script>|`x`\n# y"
DIGEST = "sha256:" + "ab" * 32
WINDOW = Window(START_NS - MINUTE_NS, START_NS + MINUTE_NS)


def pod(name: str, *, ended_ns: int | None = None, ready: bool = True) -> Pod:
    last = Ending("OOMKilled", 137, finished_ns=ended_ns) if ended_ns else None
    image = "voice-agent/orchestrator:2"
    return Pod(
        "voice", name, "Running", owner="orchestrator-bbbbbbbbbb", revision="orchestrator-bbbbbbbbbb",
        created_ns=START_NS - HOUR, started_ns=START_NS - HOUR,
        conditions=(Condition("Ready", str(ready), START_NS - HOUR),),
        containers=(Container("orchestrator", image),),
        statuses=(ContainerStatus("orchestrator", image, f"x@{DIGEST}", "running", restarts=int(bool(last)), last=last),),
    )  # fmt: skip


def with_cluster(*pods: Pod) -> Diagnosis:
    """A case whose orchestrator was rolled out an hour before, and again since; an event that means harm."""
    revisions = (
        Revision("orchestrator-bbbbbbbbbb", 2, START_NS - HOUR, ("voice-agent/orchestrator:2",)),
        Revision("orchestrator-cccccccccc", 3, START_NS + HOUR, ("voice-agent/orchestrator:3",)),
    )
    workload = Workload("deployment", "voice", "orchestrator", 1, 1, created_ns=0, revisions=revisions)
    facts = ClusterFacts(
        "gke_shop_eu_voice", START_NS + 2 * HOUR, ("voice",), "v1.36.3", (workload,), pods,
        services=(Service("voice", "orchestrator", "ClusterIP", affinity="ClientIP", endpoints=Endpoints(1, 1, 1)),),
        autoscalers=(Autoscaler("voice", "orchestrator", "deployment/orchestrator", 1, 3, 1, 1, "TooFewReplicas"),),
        events=(ClusterEvent(True, "BackOff", "deployment", "voice", HOSTILE, HOSTILE, 4, START_NS, START_NS),),
    )  # fmt: skip
    return replace(diagnose(read_case_file(CASE)), cluster=look_back(facts, WINDOW))


OWN = "orchestrator-5c9b7f6d84-q8wzn"


def test_the_terminal_says_what_ran_and_what_ailed_within_its_columns() -> None:
    """The image of then, what replaced it since, and the restart in the session."""
    view = render_terminal(with_cluster(pod(OWN, ended_ns=START_NS + NS_PER_S), pod("b" * 90))).plain

    assert max(map(len, view.splitlines())) <= 80
    assert all(line.isprintable() for line in view.splitlines())
    for words in (
        "voice-agent/orchestrator:2",
        "since replaced by revision 3, orchestrator-cccccccccc",
        "orchestrator ended: OOMKilled, exit 137",
        "1 warning of the cluster in that time",
    ):
        assert words in view
    assert "CLUSTER" not in render_terminal(diagnose(read_case_file(CASE))).plain


def test_the_report_answers_from_the_cluster_and_cites_its_objects() -> None:
    """Running and ready, restarts, the tables; what a repository alone could tell stays not provable."""
    text = render_markdown(with_cluster(pod(OWN)))

    assert (
        "| Deployment | all core services are running and ready | yes, 1 workload with 1 pod | [C1] |" in text
    )
    assert "`deployment/voice/orchestrator:status.readyReplicas`" in text
    assert "Kubernetes was not read" not in text
    assert "| `deployment/orchestrator` | 1 of 1 |" in text
    assert f"`voice-agent/orchestrator:2@{DIGEST[:19]}..`" in text
    assert "not provable: no repository was named" in text
    assert "<script>" not in text


def test_the_report_names_what_was_not_well_and_what_ended_in_the_session() -> None:
    """With the field that tells it."""
    text = render_markdown(with_cluster(pod(OWN, ended_ns=START_NS + NS_PER_S, ready=False)))

    assert "| Deployment | all core services are running and ready | **no**: `orchestrator` |" in text
    own = {event.entry.pod for event in with_cluster().session.events}
    if OWN in own:
        assert "1 container ended" in text


def test_the_rows_for_machines_are_of_the_schema_and_hold_every_kind() -> None:
    """One form for all kinds; times, images with digest, restarts."""
    found = json.loads(render_json(with_cluster(pod(OWN, ended_ns=START_NS + NS_PER_S))))

    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    rows = {row["kind"]: row for row in found["cluster"]}
    assert list(rows) == ["deployment", "pod", "service", "autoscaler", "event"]
    assert rows["pod"]["image"] == f"voice-agent/orchestrator:2@{DIGEST}"
    assert rows["pod"]["restarts"] == 1
    assert rows["deployment"]["image"] == "voice-agent/orchestrator:2"
    assert "now: revision 3 orchestrator-cccccccccc" in rows["deployment"]["notes"]
    assert rows["service"] == {
        "kind": "service", "name": "voice/orchestrator", "state": "1 ready, 1 not", "image": "", "restarts": None,
        "since": None, "notes": ["session affinity ClientIP"],
    }  # fmt: skip
