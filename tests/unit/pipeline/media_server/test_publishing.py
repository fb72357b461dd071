"""Publishing: one line for each utterance, whatever happens to its records."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.media_server import publishing
from pipeline.media_server.core import SpeechChunk
from pipeline.media_server.publishing import UtterancePublisher
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.log_lines import Log
from pipeline.wire.records import read_audio_chunk
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"


@pytest.fixture
def outbox(publisher, lines) -> UtterancePublisher:
    """A publisher of one session."""
    trace = start_trace()
    log = Log("media-server").bind(trace, session_id=SESSION)
    return UtterancePublisher(publisher, SESSION, trace, log)


def _put(outbox: UtterancePublisher, utterance: int, chunks: int) -> None:
    for n in range(chunks):
        outbox.put(SpeechChunk(utterance, bytes([n, utterance] * 50), last=n == chunks - 1))


async def _run(outbox: UtterancePublisher) -> None:
    outbox.finish()
    async with asyncio.timeout(60):
        await outbox.run()


async def test_an_utterance_becomes_records_and_one_line(outbox, publisher, lines) -> None:
    """In order, by session, the last one marked; the offsets are the broker's."""
    _put(outbox, 1, 3)
    await _run(outbox)
    records = [
        read_audio_chunk(record.key.encode(), record.value, record.headers) for record in publisher.records
    ]
    line = lines.one("utterance-published")

    assert [(record.utterance, record.last, record.pcm[0]) for record in records] == [
        (1, False, 0),
        (1, False, 1),
        (1, True, 2),
    ]
    assert records[0].trace is not None
    assert (line["utterance"], line["records"], line["bytes"]) == (1, 3, 300)
    assert (line["topic"], line["partition"], line["first_offset"], line["last_offset"]) == (
        "audio-in",
        0,
        0,
        2,
    )


async def test_a_missing_topic_is_one_line_and_the_session_goes_on(outbox, publisher, lines) -> None:
    """The next utterance is published as if nothing had been."""
    publisher.missing = UNKNOWN_TOPIC
    _put(outbox, 1, 4)
    task = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    publisher.missing = None
    _put(outbox, 2, 2)
    outbox.finish()
    await task
    line = lines.one("publish-failed")

    assert (line["utterance"], line["records"], line["error"]) == (1, 4, UNKNOWN_TOPIC)
    assert lines.one("utterance-published")["utterance"] == 2
    assert {record.headers[-2] for record in publisher.records} == {("utterance", b"2")}


async def test_a_refused_record_fails_its_utterance(outbox, publisher, lines) -> None:
    """Success is what the broker has acknowledged, nothing else."""
    publisher.refused = "[7] Request Timed Out: ..."
    _put(outbox, 1, 2)
    await _run(outbox)

    assert lines.names() == ["publish-failed"]
    assert lines.one("publish-failed")["error"] == "[7] Request Timed Out: ..."


async def test_a_broker_that_hangs_holds_nothing_up(outbox, publisher, lines, eventually) -> None:
    """Chunks are taken at once; at the session's end the utterance has its line all the same."""
    publisher.held = asyncio.Event()
    task = asyncio.create_task(outbox.run())
    _put(outbox, 1, 2)
    await eventually(lambda: len(publisher.records) == 2)
    task.cancel()
    await asyncio.wait({task})

    assert lines.names() == ["publish-failed"]
    assert "before Kafka had answered" in lines.one("publish-failed")["error"]


async def test_too_much_waiting_audio_is_not_kept(outbox, publisher, lines, monkeypatch) -> None:
    """The queue is bounded; an utterance with a hole counts as not published."""
    monkeypatch.setattr(publishing, "_QUEUE_CHUNKS", 3)
    _put(outbox, 1, 10)
    await _run(outbox)

    assert lines.names() == ["publish-failed"]
    assert lines.one("publish-failed")["records"] == 4
