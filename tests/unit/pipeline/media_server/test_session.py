"""A session's own deadlines, which no client can be made to show."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.media_server import session as session_module
from pipeline.media_server.session import CallerSession
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.log_lines import Log


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
    async with asyncio.timeout(5):
        await session.run(connect_timeout_s=0.05)

    assert lines.names()[-2:] == ["connection-closed", "connection-cleaned"]
    assert lines.one("connection-failed")
    assert lines.named("connection-ready") == []
    assert lines.named("reply-consumer-stopped") == []


async def test_a_session_that_is_closed_before_it_connects_did_not_fail(session, lines, new_caller) -> None:
    """Whoever deletes it knows why."""
    caller = await new_caller()
    await session.answer(caller.offer)
    session.close()
    await session.run()

    assert lines.named("connection-failed") == []
    assert lines.one("connection-cleaned")


async def test_a_caller_that_vanished_is_told_from_one_that_left(
    session, lines, new_caller, monkeypatch, eventually
) -> None:
    """By its silence before the end: a caller that is there sends packets also while silent."""
    monkeypatch.setattr(session_module, "_LOST_SILENCE_S", 0.3)
    caller = await new_caller()
    answer = await session.answer(caller.offer)
    running = asyncio.create_task(session.run())
    await caller.accept(answer)
    await eventually(lambda: lines.named("connection-ready"))
    caller.voice.stop()
    await eventually(lambda: asyncio.get_running_loop().time() - session._heard_at > 0.4)
    await caller.peer.close()
    await running

    assert lines.one("connection-lost")
