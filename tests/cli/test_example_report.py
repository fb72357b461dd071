"""A session that a report written by hand called healthy: its five lines come out in order, and for what they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

S, W = "session_1753615601372_cz4gw0fl5", "ws_1753615646114220410"
PODS = {"media-server": "media-server-6f46659ddf-n25zw", "orchestrator": "orchestrator-5c9b7f6d84-q8wzn"}
NO_TOPIC = "[3] Unknown Topic Or Partition: the request is for a topic or partition that does not exist on this broker"
IDLE = "fetching message: context deadline exceeded"

TOOK_ID = ("media-server", "11:27:22.104", "info", "Using session ID from header", {"sessionID": S})
BOUND = (
    "orchestrator", "11:27:28", "info", "Received session info from frontend", {"connID": W, "sessionID": S},
)  # fmt: skip
COMPLETED = ("orchestrator", "11:27:29", "info", "AI pipeline completed successfully", {"sessionID": S})
# What "audio processing started" and "session cleaned up" stand for can be either service's line.
STARTED = (
    ("orchestrator", "11:27:29", "info", "Processing audio session", {"sessionID": S}),
    ("media-server", "11:27:29.000", "info", "Starting AI audio processing with VAD and filtering", {"sessionID": S}),
)  # fmt: skip
CLEANED_UP = (
    ("media-server", "11:32:13.870", "info", "Connection cleaned up", {"sessionID": S}),
    ("orchestrator", "11:32:13", "debug", "Session cleaned up", {"sessionID": S}),
)
STANDING = (
    *(
        ("orchestrator", "11:27:29", "error", "Failed to publish log to Kafka",
         {"sessionID": S, "topic": topic, "stage": stage, "error": NO_TOPIC})
        for topic, stage in (("stt-results", "stt"), ("llm-requests", "llm"), ("tts-results", "tts"))
    ),
    *(
        ("orchestrator", at, "error", "Failed to consume audio", {"error": IDLE})
        for at in ("11:28:00", "11:28:31", "11:29:02")
    ),
)  # fmt: skip

Said = tuple[str, str, str, str, dict[str, str]]


def to_entry(line: Said, insert_id: str) -> dict[str, Any]:
    """As GKE exports it: the orchestrator's whole seconds, and a severity that is its stream's."""
    service, clock, level, message, fields = line
    stream = "stderr" if service == "orchestrator" else "stdout"
    at = f"2025-07-27T{clock}Z"
    return {
        "logName": f"projects/p/logs/{stream}",
        "insertId": insert_id,
        "timestamp": at,
        "severity": "ERROR" if stream == "stderr" else "INFO",
        "resource": {
            "type": "k8s_container",
            "labels": {"container_name": service, "pod_name": PODS[service], "namespace_name": "voice"},
        },
        "jsonPayload": {"level": level, "msg": message, "time": at, **fields},
    }


@pytest.fixture
def answer(diag, workdir: Path):
    """Runs `diag session` on such lines, and gives the JSON and the report."""

    def run(lines: Iterable[Said], insert_ids: str = "qhzbxdvkmtcw") -> tuple[dict[str, Any], str]:
        entries = [to_entry(line, f"{insert_ids[n]}{n}") for n, line in enumerate(lines)]
        for service in PODS:
            own = [one for one in entries if one["resource"]["labels"]["container_name"] == service]
            (workdir / f"{service}.json").write_text(json.dumps(own))
        files = [f"{service}.json" for service in PODS]
        machine = diag("session", S, *files, "-o", "json")
        report = diag("session", S, *files, "-o", "markdown")
        assert machine.stderr == report.stderr == ""
        return json.loads(machine.stdout), report.stdout

    return run


@pytest.mark.parametrize("started", STARTED, ids=["consumed", "processing"])
@pytest.mark.parametrize("cleaned_up", CLEANED_UP, ids=["connection", "session"])
def test_the_five_lines_come_out_in_their_order_with_evidence(
    answer, started: Said, cleaned_up: Said
) -> None:
    """Whatever stands between them, and in whatever files; two of one second may stand either way."""
    five = (TOOK_ID, BOUND, started, COMPLETED, cleaned_up)
    found, report = answer((cleaned_up, COMPLETED, *STANDING, started, BOUND, TOOK_ID))
    shown = [one for one in found["timeline"] if one["text"] in [line[3] for line in five]]
    texts = [one["text"] for one in shown]

    assert len(texts) == len(five)
    assert [*texts[:2], set(texts[2:4]), *texts[4:]] == [
        TOOK_ID[3], BOUND[3], {started[3], COMPLETED[3]}, cleaned_up[3],
    ]  # fmt: skip
    assert all(one["ref"].startswith(PODS[one["service"]]) for one in shown)
    for line in five:
        rows = [row for row in report.splitlines() if row.startswith("|") and f"`{line[3]}`" in row]
        assert rows
        assert all("[E" in row for row in rows)


@pytest.mark.parametrize("started", STARTED, ids=["consumed", "processing"])
@pytest.mark.parametrize("cleaned_up", CLEANED_UP, ids=["connection", "session"])
def test_each_line_says_what_it_does_not_prove(answer, started: Said, cleaned_up: Said) -> None:
    """In the JSON, and in the report beside its evidence."""
    five = (TOOK_ID, BOUND, started, COMPLETED, cleaned_up)
    found, report = answer(five)
    limits = {one["text"]: one["does_not_prove"] for one in found["timeline"]}
    said = report.split("What these lines do not prove")[1].split("\n### ")[0]

    assert limits.keys() == {line[3] for line in five}
    assert all(limits.values())
    assert "heard" in limits[COMPLETED[3]]
    assert "clean end" in limits[cleaned_up[3]]
    for text, limit in limits.items():
        assert any(f"`{text}`" in row and limit in row and "[E" in row for row in said.splitlines())


def test_nothing_is_called_resolved(answer) -> None:
    """No reply was seen to arrive, so the session is not healthy; nor is it accused of anything."""
    found, report = answer((TOOK_ID, BOUND, STARTED[0], COMPLETED, CLEANED_UP[0], *STANDING))

    assert found["verdict"]["status"] == "inconclusive"
    assert [one["slug"] for one in found["findings"] if one["scope"] == "session"] == []
    assert "RESOLVED" not in report


def test_lines_of_one_second_give_no_cause(answer) -> None:
    """Which of the two stands first in the log decides neither the verdict nor a finding."""
    lines = (TOOK_ID, BOUND, STARTED[0], COMPLETED, CLEANED_UP[0])
    one, report = answer(lines)
    other, _ = answer((TOOK_ID, BOUND, COMPLETED, STARTED[0], CLEANED_UP[0]))

    assert {**one["verdict"], "causes": 0} == {**other["verdict"], "causes": 0}
    assert one["findings"] == other["findings"] == []
    assert not [clock for each in (one, other) for clock in each["clocks"]["pods"] if clock["adjusted_by_ms"]]
    assert "nothing is\nconcluded from that order" in report


def test_the_standing_errors_are_the_deployments_not_the_sessions(answer) -> None:
    """The unknown topic is one of logging; an idle consumer's deadline is no finding."""
    found, _ = answer((TOOK_ID, BOUND, STARTED[0], COMPLETED, CLEANED_UP[0], *STANDING))

    assert all(one["scope"] == "standing" for one in found["findings"])
    assert not any(IDLE in one["summary"] for one in found["findings"])
