"""A session's own deadlines, which no client can be made to show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.media_server.session import CallerSession, Ending
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.kafka import OutgoingRecord
from pipeline.wire.log_lines import Log
from pipeline.wire.loopback_ice import consent_s, expire_consent_after
from pipeline.wire.records import AudioChunk, SessionEnd, read_audio_in


@pytest.fixture
async def session(server, publisher, lines) -> CallerSession:
    """A session that was not answered yet."""
    return CallerSession(mint_session_id(), None, publisher, server.replies, Log("media-server"))


async def test_a_connection_that_never_comes_is_given_up(session, lines, new_caller) -> None:
    """After its own deadline: ICE would wait for ever."""
    caller = await new_caller()
    without_candidates = "".join(
        line for line in caller.offer.splitlines(keepends=True) if "candidate" not in line
    )
    await session.answer(without_candidates)
    async with asyncio.timeout(60):
        await session.run(connect_timeout_s=0.05)

    assert lines.names()[-2:] == ["connection-closed", "connection-cleaned"]
    assert lines.one("connection-failed")
    assert lines.named("connection-ready") == []
    assert lines.named("reply-consumer-stopped") == []


async def test_a_session_that_is_closed_before_it_connects_did_not_fail(session, lines, new_caller) -> None:
    """Whoever deletes it knows why."""
    caller = await new_caller()
    await session.answer(caller.offer)
    session.close(Ending.DELETED)
    await session.run()

    assert lines.named("connection-failed") == []
    assert lines.one("connection-cleaned")


@pytest.fixture(autouse=True)
def _short_patience() -> Iterator[None]:
    """A caller is given up after two seconds."""
    before = consent_s()
    expire_consent_after(2.0)
    yield
    expire_consent_after(before)


async def test_a_caller_that_vanished_is_told_from_one_that_left(
    session, lines, publisher, new_caller, eventually
) -> None:
    """No word of goodbye: the session ends all the same, says why, and the orchestrator is told."""
    caller = await new_caller()
    answer = await session.answer(caller.offer)
    running = asyncio.create_task(session.run())
    await caller.accept(answer)
    await eventually(lambda: lines.named("connection-ready"))
    for transceiver in caller.peer.getTransceivers():
        for protocol in transceiver.receiver.transport.transport._connection._protocols:
            protocol.transport.abort()
    async with asyncio.timeout(30):
        await running
    end = _read(publisher.records[-1])

    assert lines.one("connection-lost")["reason"] == Ending.LOST
    assert lines.one("connection-closed")["reason"] == Ending.LOST
    assert isinstance(end, SessionEnd)
    assert (end.session_id, end.reason) == (session.session_id, Ending.LOST)
    assert lines.names().index("session-end-published") < lines.names().index("connection-cleaned")


def _read(record: OutgoingRecord) -> AudioChunk | SessionEnd:
    return read_audio_in(record.key.encode(), record.value, record.headers)
