"""Log lines: only what the contract knows, always one JSON object, never what was said."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

import pipeline
from pipeline.wire.log_lines import TRACE_KEY, ContractError, Log, configure, load_contract
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"


StartLog = Callable[[], Log]


@pytest.fixture
def start_log(capsys: pytest.CaptureFixture[str]) -> Iterator[StartLog]:
    """The real thing; it takes the stdout of the moment at which it is started."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield lambda: configure("orchestrator")
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def _read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_has_the_shape_that_gke_reads(start_log: StartLog, capsys: pytest.CaptureFixture[str]) -> None:
    """Time, severity, message, service, then the fields."""
    start_log().write("socket-opened", connection_id="ws_1")
    (line,) = _read(capsys)

    assert list(line) == ["time", "severity", "message", "service", "connection_id"]
    assert line["severity"] == "INFO"
    assert line["message"] == "WebSocket client connected"


def test_a_field_may_be_called_event(start_log: StartLog, capsys: pytest.CaptureFixture[str]) -> None:
    """The name is the message's text inside structlog, and a field of ours outside."""
    start_log().write("socket-message-refused", connection_id="ws_1", error="unknown", event="nope")
    (line,) = _read(capsys)

    assert (line["message"], line["event"]) == ("WebSocket message not understood", "nope")


def test_a_lone_surrogate_does_not_stop_a_line(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON from outside can hold what UTF-8 cannot."""
    start_log().write("socket-message-refused", connection_id="ws_1", error="unknown", event="\ud800")
    (line,) = _read(capsys)

    assert line["event"] == "\ud800"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("speech-started", {"session_id": SESSION, "utterance": 1}),
        ("no-such-message", {}),
        ("socket-opened", {}),
        ("socket-opened", {"connection_id": "ws_1", "text": "what was said"}),
    ],
)
def test_what_the_contract_does_not_know_cannot_be_written(
    start_log: StartLog, name: str, fields: dict[str, object]
) -> None:
    """Another service's message, an unknown one, a missing field, an additional field."""
    with pytest.raises(ContractError):
        start_log().write(name, **fields)


def test_a_bound_log_carries_its_trace_wherever_it_is_used(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trace stands on the bound log's lines and on no others."""
    log, trace = start_log(), start_trace()
    bound = log.bind(trace, session_id=SESSION)
    bound.write("reply-withheld", turn_id="turn_1", message_type="x")
    log.write("socket-opened", connection_id="ws_1")
    with_trace, without = _read(capsys)

    assert (with_trace[TRACE_KEY], with_trace["session_id"]) == (trace.trace_id, SESSION)
    assert TRACE_KEY not in without


def test_the_trace_is_named_with_its_project(
    start_log: StartLog, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cloud Logging links a trace by its full resource name."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo")
    trace = start_trace()
    start_log().bind(trace).write("socket-opened", connection_id="ws_1")

    assert _read(capsys)[0][TRACE_KEY] == f"projects/demo/traces/{trace.trace_id}"


def test_a_library_speaks_once_a_second(start_log: StartLog, capsys: pytest.CaptureFixture[str]) -> None:
    """A library in a loop does not fill the log."""
    start_log()
    for port in range(50):
        logging.getLogger("a.library").warning("no connection to port %s", port)
    (line,) = _read(capsys)

    assert line["detail"] == "no connection to port 0"


def test_a_librarys_error_shows_where_but_not_what(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text of an exception may hold what was said; its type and place do not."""
    start_log()
    said = "a secret sentence"
    try:
        int(said)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    (line,) = _read(capsys)

    assert "a secret sentence" not in json.dumps(line)
    assert str(line["stack_trace"]).endswith("ValueError")
    assert "test_log_lines.py" in str(line["stack_trace"])


async def test_a_task_that_nobody_waited_for_shows_where_but_not_what(
    start_log: StartLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event loop quotes the error in what it writes of it."""
    start_log()
    said = "a secret sentence"

    async def fail() -> None:
        int(said)

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    gc.collect()
    (line,) = _read(capsys)

    assert line["detail"] == "Task exception was never retrieved"
    assert "a secret sentence" not in json.dumps(line)
    assert str(line["stack_trace"]).endswith("ValueError")


def test_the_contract_is_well_formed() -> None:
    """Each message once, with a severity that Cloud Logging knows."""
    contract = load_contract()
    rows = tomllib.loads((Path(pipeline.__path__[0]) / "wire" / "log_contract.toml").read_text("utf-8"))

    assert len(contract) == len(rows["message"])
    assert {message.severity for message in contract.values()} <= {"DEBUG", "INFO", "WARNING", "ERROR"}
    assert len({(message.service, message.text) for message in contract.values()}) == len(contract)


def test_every_message_of_the_contract_is_written_somewhere() -> None:
    """The contract promises no line that no service writes."""
    sources = "\n".join(path.read_text("utf-8") for path in Path(pipeline.__path__[0]).rglob("*.py"))
    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|library)"', sources))

    assert set(load_contract()) - named == set()
