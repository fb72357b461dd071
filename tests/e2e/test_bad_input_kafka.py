"""What others may write into the topics: skipped with one bounded line each, and calls go on."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.records import (
    AUDIO_IN,
    AUDIO_OUT,
    LLM_REQUESTS,
    SESSION_EVENTS,
    TTS_RESULTS,
    AudioChunk,
    ReplyAudio,
)
from tests.e2e.conftest import Live, run_stack
from tests.e2e.watching import unharmed

pytestmark = [
    pytest.mark.part("kafka"),
    pytest.mark.part("flite"),
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("hung_up"),
]

SAID = b"what-was-said-is-nobodys-business"
REFUSED = "Record not understood, skipped"
UNREADABLE = "the name of a header is not UTF-8"
READERS = {
    AUDIO_IN: "orchestrator",
    SESSION_EVENTS: "orchestrator",
    AUDIO_OUT: "media-server",
    LLM_REQUESTS: "results",
    TTS_RESULTS: "results",
}

Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
FOREIGN: list[Record] = [
    (None, SAID, []),
    (b"session_x", None, []),
    (b"", b"", []),
    (b"\xff\xfe\x00\n", SAID, [("utterance", b"1"), ("last", b"0"), ("turn-id", b"\xff")]),
    (b"session_x", b"[" * 50_000, [("utterance", b"9" * 5_000), ("turn-id", SAID)]),
    (b"k" * 100_000, b"x" * 900_001, [("h" * 1_000, SAID)]),
    (b"session_x", SAID, [("session-id", b"session_y"), ("utterance", b"1"), ("last", b"1")]),
    (b"session_x", b"xyz", [("utterance", b"1"), ("last", b"1"), ("traceparent", b"00-00-00-00")]),
    (b"session_x", json.dumps({"session_id": {}, "stage": None}).encode(), [("turn-id", SAID)]),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One of its own: what is left on the broker here would stand beside every later session."""
    with run_stack(tmp_path_factory.mktemp("bad-input")) as live:
        yield live


async def write(live: Live, topic: str, *records: Record) -> None:
    state = json.loads((live.folder / ".stack/stack.json").read_text("utf-8"))
    producer = AIOKafkaProducer(bootstrap_servers=state["kafka"])
    await producer.start()
    try:
        sent = [
            await producer.send(topic, value, key=key, headers=headers) for key, value, headers in records
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def write_unreadable(live: Live, topic: str) -> None:
    """Three records in one batch; a header of the second one has a name that is no text."""
    state = json.loads((live.folder / ".stack/stack.json").read_text("utf-8"))
    async with AIOKafkaProducer(bootstrap_servers=state["kafka"]) as producer:
        batch = producer.create_batch()
        for headers in ([], [("NAME", SAID)], []):
            batch.append(timestamp=None, key=b"session_x", value=None, headers=headers)
        raw = bytes(batch._build()).replace(b"NAME", b"\xffAME")
        batch._buffer = raw[:17] + struct.pack(">I", calc_crc32c(raw[21:])) + raw[21:]
        await (await producer.send_batch(batch, topic, partition=0))


@pytest.mark.parametrize(("topic", "reader"), READERS.items())
async def test_a_foreign_record_is_skipped_by_its_reader(stack: Live, topic: str, reader: str) -> None:
    """Without a key, huge, of another format, of nobody, not to be read at all: its place is told, and nothing that it holds."""
    with unharmed(stack, reader) as watched:
        await write_unreadable(stack, topic)
        await write(stack, topic, *FOREIGN)
        lines = await asyncio.to_thread(watched.find, REFUSED, 3 + len(FOREIGN))

    assert {line["topic"] for line in lines} == {topic}
    assert [line["error"].startswith(UNREADABLE) for line in lines].count(True) == 2
    assert SAID.decode() not in json.dumps(watched.lines)


async def test_audio_without_end_takes_no_memory_without_end(stack: Live) -> None:
    """An utterance of half an hour is dropped at its bound, once, and swallowed from there on."""
    session_id = mint_session_id()
    headers = AudioChunk(session_id, 1, last=False, pcm=b"").to_headers()
    with unharmed(stack, "orchestrator") as watched:
        await write(stack, AUDIO_IN, *[(session_id.encode(), bytes(320_000), headers)] * 200)
        (line,) = await asyncio.to_thread(watched.find, "Utterance dropped")

    assert (line["session_id"], line["reason"]) == (session_id, "longer than 30 s")


async def test_a_reply_for_nobody_is_not_kept(stack: Live) -> None:
    """60 MB of speech for sessions that no media server has."""
    replies = [ReplyAudio(mint_session_id(), "turn_0a1b2c3d", bytes(500_000)) for _ in range(120)]
    with unharmed(stack, "media-server") as watched:
        await write(stack, AUDIO_OUT, *((r.session_id.encode(), r.pcm, r.to_headers()) for r in replies))
        await asyncio.to_thread(watched.find, "Reply audio for a session that is not on this pod", 120)


def test_after_all_of_it_a_call_is_answered(stack: Live) -> None:
    """Whatever stands in the topics."""
    call = stack.call("--say", "what are your opening hours")

    assert call["turns"][0]["reply"]
