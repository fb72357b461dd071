"""The stage log: published beside the turns, and its failures are lines, never delays."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.orchestrator.stage_log import MOST_WAITING, StageLogWriter
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.records import StageLog
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
TRACE = start_trace()


def _entry(stage: str) -> StageLog:
    return StageLog(SESSION, "turn_0a1b2c3d", stage, 12.0, {"chars": 3}, TRACE)


@pytest.fixture
async def writer(publisher, lines):
    """A writer whose task runs."""
    writer = StageLogWriter(publisher, Log("orchestrator"))
    task = asyncio.create_task(writer.run())
    yield writer
    task.cancel()
    await asyncio.wait({task})


async def test_each_stage_has_its_topic(writer, publisher, lines) -> None:
    """Keyed by session, and said in a line of its own."""
    for stage in ("stt", "llm", "tts"):
        writer.put(_entry(stage))
    await writer.flush(60)

    assert [record.topic for record in publisher.records] == ["stt-results", "llm-requests", "tts-results"]
    assert {record.key for record in publisher.records} == {SESSION}
    assert json.loads(publisher.records[0].value)["data"] == {"chars": 3}
    assert lines.names() == ["stage-published"] * 3
    assert {line[TRACE_KEY] for line in lines.all} == {TRACE.trace_id}


async def test_a_missing_topic_is_a_line(writer, publisher, lines) -> None:
    """With the broker's words; the next entry is published as if nothing had been."""
    publisher.missing = UNKNOWN_TOPIC
    writer.put(_entry("stt"))
    await writer.flush(60)
    publisher.missing = None
    writer.put(_entry("llm"))
    await writer.flush(60)
    line = lines.one("stage-not-published")

    assert (line["topic"], line["stage"], line["error"]) == ("stt-results", "stt", UNKNOWN_TOPIC)
    assert lines.names() == ["stage-not-published", "stage-published"]


async def test_an_entry_is_published_when_the_broker_has_it(writer, publisher, lines) -> None:
    """A refused one was not."""
    publisher.refused = "[7] Request Timed Out: ..."
    writer.put(_entry("tts"))
    await writer.flush(60)

    assert lines.names() == ["stage-not-published"]


async def test_a_broker_that_hangs_delays_nobody(writer, publisher, lines) -> None:
    """Entries are taken until the bound, and told from there on; a flush is bounded too."""
    publisher.held = asyncio.Event()
    for _ in range(MOST_WAITING + 3):
        writer.put(_entry("stt"))
    async with asyncio.timeout(60):
        await writer.flush(0.01)

    assert len(lines.named("stage-not-published")) == 3
    assert "are waiting for Kafka" in lines.all[0]["error"]
