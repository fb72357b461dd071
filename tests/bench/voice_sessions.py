"""Many sessions opened and closed, and what is left of them in the services' processes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from pipeline.frontend.connection import open_call, open_socket
from pipeline.frontend.core import mint_browser_session_id
from pipeline.local.services import MEDIA_SERVER, ORCHESTRATOR
from pipeline.local.state import StackState
from pipeline.wire.tracing import start_trace

FIRST, ALL, AT_ONCE = 20, 200, 2
SETTLED_S = 60


@dataclass(frozen=True)
class Holdings:
    """What a process holds: resident memory, open files, sessions in its tables, tasks of its loop."""

    rss_mb: float
    files: int
    sessions: int
    tasks: int


@dataclass(frozen=True)
class Growth:
    """One service before any session, after the first ones, and after all."""

    service: str
    before: Holdings
    early: Holdings
    after: Holdings
    first: int = FIRST

    @property
    def mb_a_session(self) -> float:
        """Memory that one more session leaves behind."""
        return (self.after.rss_mb - self.early.rss_mb) / (ALL - FIRST)

    @property
    def is_back(self) -> bool:
        """Whether files, sessions and tasks are what they were."""
        return is_settled(self.before, self.after)


def is_settled(before: Holdings, now: Holdings) -> bool:
    return now.files <= before.files and now.sessions <= before.sessions and now.tasks <= before.tasks


async def open_and_close(state: StackState, services: Collection[str]) -> list[Growth]:
    """Open and close `ALL` sessions, a few at a time."""
    # a connection that is kept for the next request would count as left behind
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
        before = {name: await read_holdings(client, state, name) for name in services}
        await _open_sessions(client, state, FIRST)
        early = {name: await settle(client, state, name, before[name]) for name in services}
        await _open_sessions(client, state, ALL - FIRST)
        after = {name: await settle(client, state, name, before[name]) for name in services}
    return [Growth(name, before[name], early[name], after[name]) for name in services]


async def _open_sessions(client: aiohttp.ClientSession, state: StackState, count: int) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def open_one() -> None:
        async with places:
            session_id, trace = mint_browser_session_id(), start_trace()
            whip = f"http://{state.address_of(MEDIA_SERVER)}/whip"
            ws = f"ws://{state.address_of(ORCHESTRATOR)}/ws"
            async with (
                open_socket(client, (ws,), session_id, trace),
                open_call(client, whip, session_id, trace) as call,
            ):
                await call.wait_connected()

    await asyncio.gather(*(open_one() for _ in range(count)))


async def settle(
    client: aiohttp.ClientSession, state: StackState, service: str, before: Holdings
) -> Holdings:
    """What the service holds once it is as before, or after a while as it is."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SETTLED_S
    while not is_settled(before, now := await read_holdings(client, state, service)) and loop.time() < end:
        await asyncio.sleep(0.5)
    return now


async def read_holdings(client: aiohttp.ClientSession, state: StackState, service: str) -> Holdings:
    pod = state.pod_of(service)
    status = Path(f"/proc/{pod.pid}/status").read_text("utf-8")
    async with client.get(f"http://127.0.0.1:{pod.port}/metrics") as answer:
        metrics = await answer.text()
    return Holdings(
        rss_mb=int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,
        files=len(list(Path(f"/proc/{pod.pid}/fd").iterdir())),
        sessions=_read_metric(metrics, "voice_sessions_active"),
        tasks=_read_metric(metrics, "voice_tasks"),
    )


def _read_metric(text: str, name: str) -> int:
    return int(float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1]))
