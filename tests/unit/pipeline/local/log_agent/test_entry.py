from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.cri import CriLine, Piece
from pipeline.local.log_agent.entry import LARGEST_PAYLOAD_BYTES, Node, build_entry, describe_file

NODE = Node("p", "voice", "local", "gke-node-1")
PATH = Path("/state/pods/ns_orchestrator-5c9b7f6d84-q8wzn_u-1/orchestrator/0.log")
TIME = "2026-01-02T03:04:05.678901234Z"


def build(content, stream="stdout", offset=0, path=PATH):
    content = content if isinstance(content, bytes) else content.encode()
    file = describe_file(path, NODE)
    assert file
    return build_entry(file, offset, CriLine(TIME, stream, Piece(content)))


def test_entry_of_a_json_line():
    """The whole entry, as GKE makes it of a structured line of a deployment's pod."""
    line = {
        "time": "2026-01-02T03:04:05.5Z",
        "severity": "WARNING",
        "message": "m",
        "session_id": "s",
        "logging.googleapis.com/trace": "projects/p/traces/abc",
        "logging.googleapis.com/labels": {"turn": "1"},
    }

    entry = build(json.dumps(line), offset=1296)

    assert entry.pop("insertId").endswith("0000100")
    assert entry == {
        "logName": "projects/p/logs/stdout",
        "resource": {
            "type": "k8s_container",
            "labels": {
                "project_id": "p",
                "location": "local",
                "cluster_name": "voice",
                "namespace_name": "ns",
                "pod_name": "orchestrator-5c9b7f6d84-q8wzn",
                "container_name": "orchestrator",
            },
        },
        "labels": {
            "k8s-pod/app": "orchestrator",
            "k8s-pod/pod-template-hash": "5c9b7f6d84",
            "compute.googleapis.com/resource_name": "gke-node-1",
            "logging.gke.io/top_level_controller_name": "orchestrator",
            "logging.gke.io/top_level_controller_type": "Deployment",
            "turn": "1",
        },
        "timestamp": "2026-01-02T03:04:05.500000000Z",
        "severity": "WARNING",
        "trace": "projects/p/traces/abc",
        "jsonPayload": {"message": "m", "session_id": "s"},
    }


@pytest.mark.parametrize(
    ("line", "stream", "expected"),
    [
        ("plain", "stdout", {"textPayload": "plain", "severity": "INFO"}),
        ("plain", "stderr", {"textPayload": "plain", "severity": "ERROR"}),
        ('{"level": "error", "msg": "m"}', "stdout",
         {"jsonPayload": {"level": "error", "msg": "m"}, "severity": "INFO"}),
        ('{"level": "debug", "msg": "m"}', "stderr",
         {"jsonPayload": {"level": "debug", "msg": "m"}, "severity": "ERROR"}),
        ('{"severity": "debug", "a": 1}', "stderr", {"jsonPayload": {"a": 1}, "severity": "DEBUG"}),
        ('{"severity": "x", "a": 1}', "stdout", {"jsonPayload": {"a": 1}, "severity": "DEFAULT"}),
        ('{"message": "m", "a": 1}', "stdout", {"jsonPayload": {"message": "m", "a": 1}}),
        ('{"message": "m", "severity": "INFO"}', "stdout", {"textPayload": "m"}),
        ('{"message": 5}', "stdout", {"jsonPayload": {"message": 5}}),
        ('  {"a": 1}  ', "stdout", {"jsonPayload": {"a": 1}}),
        ("{}", "stdout", {"jsonPayload": {}}),
        ("[1, 2]", "stdout", {"textPayload": "[1, 2]"}),
        ('"text"', "stdout", {"textPayload": '"text"'}),
        ('{"a": NaN}', "stdout", {"textPayload": '{"a": NaN}'}),
        ('{"a": "cut off', "stdout", {"textPayload": '{"a": "cut off'}),
        ("", "stdout", {"textPayload": ""}),
        (b"\xff\xfe", "stdout", {"textPayload": "\ufffd\ufffd"}),
        ('{"time": "nonsense", "a": 1}', "stdout", {"timestamp": TIME, "jsonPayload": {"a": 1}}),
        ('{"a": 1}', "stderr", {"timestamp": TIME, "logName": "projects/p/logs/stderr"}),
    ],
)  # fmt: skip
def test_line_becomes_entry(line, stream, expected):
    """Every rule of payload, severity and time, one line each."""
    entry = build(line, stream)

    assert expected.items() <= entry.items()
    assert ("jsonPayload" in entry) != ("textPayload" in entry)


def test_deep_payload_is_a_text():
    """JSON that is nested beyond what a protobuf parser takes is kept as the text that it was."""
    deep = '{"a":' * 31 + "1" + "}" * 31

    assert build(deep)["textPayload"] == deep
    assert "jsonPayload" in build('{"a":' * 30 + "1" + "}" * 30)


def test_large_payloads():
    """Over the limit JSON is dropped and text is cut, as GKE documents it."""
    over = LARGEST_PAYLOAD_BYTES + 1

    assert build(json.dumps({"a": "x" * over})) is None
    assert len(build("x" * over)["textPayload"]) == LARGEST_PAYLOAD_BYTES


def test_pod_without_deployment_has_no_controller():
    """What is not known of a pod is not claimed."""
    entry = build("x", path=Path("/pods/ns_redpanda-0_u/redpanda/0.log"))

    assert entry["labels"] == {"compute.googleapis.com/resource_name": "gke-node-1"}


def test_other_files_are_no_containers():
    """A file that no container has written is not described."""
    assert describe_file(Path("/state/pods/readme.log"), NODE) is None


def test_insert_ids_tell_lines_apart_and_stay():
    """The ID depends on file and offset only, differs for each line, and sorts as the lines do."""
    elsewhere = Path("/other") / PATH.relative_to("/state")
    restarted = PATH.with_name("1.log")
    ids = [build("x", offset=offset)["insertId"] for offset in (0, 35, 36, 10_000)]

    assert ids == sorted(set(ids))
    assert build("y", "stderr", offset=35, path=elsewhere)["insertId"] == ids[1]
    assert build("x", offset=35, path=restarted)["insertId"] != ids[1]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
special = st.sampled_from(
    [
        "severity",
        "time",
        "timestamp",
        "timestampSeconds",
        "timestampNanos",
        "httpRequest",
        "message",
        *(
            f"logging.googleapis.com/{name}"
            for name in (
                "trace",
                "spanId",
                "trace_sampled",
                "labels",
                "insertId",
                "sourceLocation",
                "operation",
            )
        ),
    ]
)
groups = st.dictionaries(
    st.sampled_from(["file", "line", "id", "first", "status", "latency", "seconds", "nanos", "requestSize"]),
    values,
)


@given(st.dictionaries(special | st.text(), values | groups).map(json.dumps) | st.binary())
def test_no_line_can_make_an_invalid_entry(line):
    """Whatever a service writes, the entry is one that Cloud Logging's client can encode and decode."""
    entry = build(line)

    message = ParseDict(entry, LogEntry.pb()())
    MessageToDict(LogEntry.pb().FromString(message.SerializeToString()))
