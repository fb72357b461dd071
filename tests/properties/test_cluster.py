"""Whatever a cluster holds, it is read, looked back at and shown: nothing of it can stop diag."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diag.cluster import look_back
from diag.model.cluster import ClusterFacts
from diag.model.cluster_view import ClusterReport
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.render.cluster import render_cluster
from diag.render.cluster_v1 import render_cluster_json
from diag.render.markdown.cluster import render_cluster_markdown
from diag.sources.kube.events import to_events, to_logged_events
from diag.sources.kube.network import to_autoscalers, to_services
from diag.sources.kube.pods import to_pods
from diag.sources.kube.workloads import to_deployments, to_stateful_sets

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(resources.files("diag.render").joinpath("cluster_v1.schema.json").read_text("utf-8"))
)
KEYS = (
    "metadata", "spec", "status", "name", "namespace", "uid", "labels", "annotations", "ownerReferences", "controller",
    "creationTimestamp", "template", "containers", "image", "env", "ports", "livenessProbe", "httpGet", "port", "path",
    "replicas", "readyReplicas", "conditions", "type", "lastTransitionTime", "containerStatuses", "state", "lastState",
    "terminated", "running", "finishedAt", "restartCount", "imageID", "selector", "message", "reason", "count", "data",
    "involvedObject", "kind", "lastTimestamp", "endpoints", "kubernetes.io/service-name", "minReplicas", "initialDelaySeconds",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["2025-07-27T11:26:41Z", "True", "Ready", "a", "Pod", "Scaled up replica set a from 0 to 1"]
    ),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=40,
)
WINDOW = Window(1_753_615_600_000_000_000, 1_753_615_610_000_000_000)


@given(objects=st.lists(JSON, max_size=5), windowed=st.booleans())
@example(objects=[{"spec": {"minReplicas": -1, "replicas": -1}}], windowed=False)
@settings(max_examples=150)
def test_objects_of_any_shape_are_read_and_shown(objects: list[Any], windowed: bool) -> None:
    """In 80 columns, of the schema, without a character that a terminal obeys."""
    facts = ClusterFacts(
        "demo",
        WINDOW.end_ns,
        workloads=(*to_deployments(objects, objects), *to_stateful_sets(objects, objects)),
        pods=tuple(to_pods(objects)),
        services=tuple(to_services(objects, objects)),
        autoscalers=tuple(to_autoscalers(objects)),
        events=tuple(to_events(objects)),
    )
    logged = to_logged_events(LogRecord({"jsonPayload": one}) for one in objects)
    report = ClusterReport(look_back(facts, WINDOW if windowed else None, logged=logged), ())

    shown = render_cluster(report).plain
    assert max(map(len, shown.splitlines())) <= 80
    assert all(line.isprintable() for line in shown.splitlines())
    assert "\x1b" not in render_cluster_markdown(report)
    SCHEMA.validate(json.loads(render_cluster_json(report)))
