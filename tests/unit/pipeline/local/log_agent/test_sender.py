from __future__ import annotations

import pytest

from pipeline.local.log_agent.sender import NotSentError, Sender
from pipeline.local.readiness import choose_ports


@pytest.fixture
def open_sender():
    """`open_sender(endpoint)`: a sender that is closed after the test."""
    senders = []

    def start(endpoint):
        senders.append(Sender(endpoint))
        return senders[-1]

    yield start
    for sender in senders:
        sender.close()


def make_entry(insert_id, **fields):
    return {
        "logName": "projects/test-project/logs/stdout",
        "resource": {"type": "k8s_container", "labels": {"pod_name": "p"}},
        "timestamp": "2026-01-02T03:04:05.000000006Z",
        "insertId": insert_id,
        "severity": "NOTICE",
        **fields,
    }


def test_entries_arrive_as_they_were_built(logging_server, open_sender):
    """What the agent builds is what the API lists."""
    sender = open_sender(logging_server.endpoint)

    assert (
        sender.send([make_entry("1", jsonPayload={"a": [1, "x", None]}), make_entry("2", textPayload="t")])
        is None
    )

    first, second = logging_server.list()
    assert (first.insert_id, first.severity, dict(first.json_payload)["a"]) == ("1", 300, [1, "x", None])
    assert (second.insert_id, second.text_payload) == ("2", "t")
    assert first.timestamp.nanosecond == 6


def test_refused_entry_does_not_cost_the_others(logging_server, open_sender):
    """The good entries of a request are written; the refusal says why the other was not."""
    sender = open_sender(logging_server.endpoint)

    refused = sender.send([make_entry("1", textPayload="x" * 300_000), make_entry("2", textPayload="t")])

    assert refused is not None
    assert "exceeds maximum size" in refused
    assert [entry.insert_id for entry in logging_server.list()] == ["2"]


def test_server_that_is_away_is_told_apart(open_sender):
    """Where nobody listens the entries are to be sent again."""
    (port,) = choose_ports(1)
    sender = open_sender(f"http://127.0.0.1:{port}")

    with pytest.raises(NotSentError):
        sender.send([make_entry("1", textPayload="t")])
