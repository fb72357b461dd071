"""A line is the same whatever a collector or a viewer wrapped around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.instants import parse_instant
from diag.model.records import Entry, LogRecord
from diag.normalise import to_frame

AT = parse_instant("2025-07-27T11:26:41.372Z")
POD = "orchestrator-5c9b7f6d84-q8wzn"
S, W = "session_1753615601372_cz4gw0fl5", "ws_1753615602114220410"
LINE = f'{{"level":"info","msg":"Received session info from frontend","connID":"{W}","sessionID":"{S}"}}'
SECOND = "2025-07-27T11:26:41.372Z"


def read(data: Any, origin: str = "app.log:1") -> Entry:
    return to_entries(to_frame([LogRecord(data, origin)], load_catalogue()))[0]


WRAPPED: dict[str, dict[str, Any]] = {
    "docker json-file": {"log": LINE + "\n", "stream": "stderr", "time": SECOND},
    "fluent-bit": {
        "log": LINE, "stream": "stderr", "time": SECOND, "_p": "F",
        "kubernetes": {"pod_name": POD, "container_name": "orchestrator", "labels": {"app": "orchestrator"}},
    },
    "stern -o json": {
        "message": f"{SECOND} {LINE}\n", "nodeName": "n", "namespace": "voice", "podName": POD, "containerName": "orchestrator",
    },
    "filebeat": {
        "@timestamp": SECOND, "message": LINE, "stream": "stderr", "log": {"offset": 5, "file": {"path": "/x"}},
        "kubernetes": {"pod": {"name": POD}, "container": {"name": "orchestrator"}, "namespace": "voice"},
    },
    "vector": {
        "message": LINE, "timestamp": SECOND, "source_type": "kubernetes_logs",
        "kubernetes": {"pod_name": POD, "container_name": "orchestrator", "pod_labels": {"app": "orchestrator"}},
    },
    "elasticsearch hit": {
        "_index": "logs-1", "_id": "x", "_score": 1,
        "_source": {"@timestamp": SECOND, "message": LINE, "kubernetes": {"pod": {"name": POD}, "container": {"name": "orchestrator"}}},
    },
    "logcli -o jsonl": {"labels": {"pod": POD, "container": "orchestrator"}, "line": LINE, "timestamp": SECOND},
    "grafana": {"line": LINE, "timestamp": "1753615601372000000", "date": SECOND, "fields": {"pod": POD, "container": "orchestrator"}},
    "journalctl -o json": {
        "MESSAGE": LINE, "__REALTIME_TIMESTAMP": "1753615601372000", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "orchestrator",
        "_HOSTNAME": "node-1", "__CURSOR": "s=1",
    },
    "journalctl, bytes": {"MESSAGE": list(LINE.encode()), "__REALTIME_TIMESTAMP": "1753615601372000", "_SYSTEMD_UNIT": "orchestrator.service"},
    "BigQuery, snake case": {
        "log_name": "projects/p/logs/stderr", "timestamp": "2025-07-27 11:26:41.372 UTC", "severity": "ERROR", "json_payload": LINE,
        "resource": {"type": "k8s_container", "labels": {"pod_name": POD, "container_name": "orchestrator"}},
    },
    "BigQuery, columns": {
        "logName": "projects/p/logs/stderr", "timestamp": SECOND, "jsonPayload": json.loads(LINE), "textPayload": None,
        "resource": {"labels": {"pod_name": POD, "container_name": "orchestrator"}},
    },
}  # fmt: skip


@pytest.mark.parametrize("data", WRAPPED.values(), ids=WRAPPED.keys())
def test_a_line_is_itself_in_every_wrapping(data: dict[str, Any]) -> None:
    """Message, time, level, service and IDs; the pod where the wrapping names it."""
    entry = read(data, "stdin:1")

    assert (entry.message, entry.time_ns, entry.level) == ("Received session info from frontend", AT, "info")
    assert entry.service == "orchestrator"
    assert (entry.ids_in("session"), entry.ids_in("connection")) == ((S,), (W,))
    assert entry.ref == "stdin:1"
    if POD in json.dumps(data):
        assert entry.pod == POD


def test_a_text_in_a_wrapping_keeps_what_its_stream_says() -> None:
    """As GKE does where nothing else is known."""
    assert read({"log": "dial failed\n", "stream": "stderr", "time": SECOND}).level == "error"
    assert read({"MESSAGE": "dial failed", "__CURSOR": "x", "PRIORITY": "4"}).level == "warning"


def test_fields_beside_a_line_are_kept() -> None:
    """A filter of the collector parsed them out of it."""
    entry = read({"log": "bound\n", "stream": "stdout", "time": SECOND, "session_id": S})

    assert (entry.message, entry.ids_in("session")) == ("bound", (S,))


def test_loguru_has_its_line_in_a_record() -> None:
    """With what was bound to it under ``extra``."""
    record = {
        "message": "Transcription failed", "level": {"name": "ERROR", "no": 40}, "extra": {"session_id": S},
        "time": {"repr": "2025-07-27 11:26:41.372000+00:00", "timestamp": 1753615601.372},
    }  # fmt: skip
    entry = read({"text": "2025-07-27 | ERROR | x\n", "record": record})

    assert (entry.message, entry.level, entry.ids_in("session")) == ("Transcription failed", "error", (S,))
    assert abs((entry.time_ns or 0) - (AT or 0)) < 1_000


@pytest.mark.parametrize("labels", ["labels", "fields"])
def test_what_loki_s_labels_name_is_named(labels: str) -> None:
    """A session's ID as a label of the stream, or as metadata of the line, which itself says nothing."""
    told = {"pod": POD, "container": "orchestrator", "session_id": S, "note": f"socket {W}"}
    entry = read({labels: told, "line": "Transcription failed", "timestamp": SECOND})

    assert {(one.role, one.key, one.text) for one in entry.ids} == {
        ("session", "labels.session_id", S),
        ("text", "labels.note", W),
    }
    assert (entry.message, entry.fields) == ("Transcription failed", {})


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ({"level": "info", "ts": 1753615601.372, "caller": "a.go:1", "msg": "x"}, "info"),
        ({"level": "warn", "ts": "2025-07-27T11:26:41.372Z", "logger": "a", "msg": "x"}, "warning"),
        ({"level": "error", "time": "2025-07-27T11:26:41.372Z", "message": "x"}, "error"),
        ({"time": "2025-07-27T13:26:41.372+02:00", "level": "WARN+1", "msg": "x"}, "warning"),
        ({"name": "a", "hostname": "h", "pid": 7, "level": 50, "msg": "x", "time": SECOND, "v": 0}, "error"),
        ({"asctime": "2025-07-27 11:26:41,372", "levelname": "CRITICAL", "message": "x"}, "fatal"),
        ({"@timestamp": SECOND, "log.level": "DEBUG", "message": "x"}, "debug"),
        (
            {"timestamp": {"seconds": 1753615601, "nanos": 372000000}, "severity": "NOTICE", "message": "x"},
            "info",
        ),
    ],
    ids=["zap", "zap, ISO", "zerolog", "slog", "bunyan", "python-json-logger", "ECS", "Google's loggers"],
)
def test_loggers_that_write_json_say_when_and_how_grave(line: dict[str, Any], level: str) -> None:
    """Under keys of their own."""
    entry = read(line)

    assert (entry.message, entry.level) == ("x", level)
    assert abs((entry.time_ns or 0) - (AT or 0)) < 1_000


@pytest.mark.parametrize(
    "data",
    [
        {"log": None, "stream": "stdout"}, {"log": {"msg": "x"}, "stream": [1], "kubernetes": 5},
        {"message": 5, "podName": {}, "containerName": [1]}, {"line": {"a": 1}, "timestamp": [], "labels": "x"},
        {"MESSAGE": [300, -1, "x", None, 65], "__REALTIME_TIMESTAMP": "9" * 40}, {"MESSAGE": None, "__CURSOR": 5},
        {"text": 1, "record": 2}, {"text": 1, "record": {"time": 5, "level": {"name": []}, "message": {}, "extra": [1]}},
        {"_index": "x", "_source": 5}, {"_index": "x", "_source": {"_source": {"_source": 1}, "_index": "y"}},
        {"jsonPayload": "{half", "logName": 1}, {"timestamp": {"seconds": 10**30, "nanos": "x"}},
    ],
)  # fmt: skip
def test_what_only_looks_like_a_wrapping_is_kept(data: dict[str, Any]) -> None:
    """No shape raises, whatever its parts are."""
    assert to_frame([LogRecord(data, "a.log:1")], load_catalogue()).height == 1
