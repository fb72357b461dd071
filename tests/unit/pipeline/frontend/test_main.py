"""The caller as a process: one JSON object on stdout, a status that says whether there was a call."""

from __future__ import annotations

import json

import pytest

NOWHERE = ("--whip", "http://127.0.0.1:9/whip", "--ws", "ws://127.0.0.1:9/ws", "--say", "Hello")


@pytest.mark.part("flite")
async def test_no_connection_is_status_1(start_service) -> None:
    """With the report all the same, and the reason on stderr."""
    status, stdout, stderr = await (await start_service("frontend", *NOWHERE)).end()
    report = json.loads(stdout)

    assert status == 1
    assert (report["connected_ms"], report["turns"]) == (None, [])
    assert set(report) == {"session_id", "socket_session_id", "trace_id", "connected_ms", "turns"}
    assert stderr.startswith(b"no WebSocket at ws://127.0.0.1:9/ws")


async def test_wrong_options_are_status_2(start_service) -> None:
    """One line."""
    status, stdout, stderr = await (await start_service("frontend", *NOWHERE, "--voice", "kal")).end()

    assert (status, stdout, stderr.count(b"\n")) == (2, b"", 1)
