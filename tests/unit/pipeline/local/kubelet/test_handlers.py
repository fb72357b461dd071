"""What a probe or a hook asks is done, and a failure is told in the kubelet's words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pipeline.local.kubelet.ending import end_run
from pipeline.local.kubelet.handlers import Target, find_failure
from pipeline.local.kubelet.spec import Exec, HttpGet, Sleep, TcpSocket
from pipeline.local.readiness import choose_ports
from pipeline.local.runs import Run
from pipeline.local.streams import close

TARGET = Target("10.0.0.1", {"PATH": "/usr/bin:/bin", "WORD": "from the environment"})


@asynccontextmanager
async def answering(status: str) -> AsyncIterator[int]:
    """The port of a server that answers each request with `status`; without one, it never answers."""
    left: set[asyncio.Task[None]] = set()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if status:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nLocation: /\r\n\r\n".encode())
        else:
            await reader.read()
        await close(writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left.add(asyncio.create_task(respond(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*left)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("200 OK", None),
        ("302 Found", None),
        ("503 Service Unavailable", "HTTP probe failed with statuscode: 503"),
    ],
)
async def test_http_succeeds_below_400(status: str, failure: str | None) -> None:
    """A redirect is as good as an answer."""
    async with answering(status) as port:
        assert await find_failure(HttpGet(port, "healthz"), TARGET, 30) == failure


async def test_a_closed_port_and_a_slow_answer_are_told_as_go_tells_them() -> None:
    """With the pod's address, not the one that this machine serves."""
    [closed] = choose_ports(1)
    refused = f"dial tcp 10.0.0.1:{closed}: connect: connection refused"
    assert await find_failure(TcpSocket(closed), TARGET, 30) == refused
    assert await find_failure(HttpGet(closed, "/x"), TARGET, 30) == (
        f'Get "http://10.0.0.1:{closed}/x": {refused}'
    )
    async with answering("") as silent:
        assert await find_failure(TcpSocket(silent), TARGET, 30) is None
        late = await find_failure(HttpGet(silent, "/x"), TARGET, 0.05)
    assert late is not None
    assert late.endswith("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")


async def test_a_program_runs_in_the_containers_environment() -> None:
    """Its output is the failure; one that takes too long is killed."""
    assert await find_failure(Exec(("true",)), TARGET, 30) is None
    assert (
        await find_failure(Exec(("sh", "-c", 'echo "$WORD"; exit 2')), TARGET, 30) == "from the environment\n"
    )
    late = await find_failure(Exec(("sleep", "60")), TARGET, 0.3)
    assert late == 'command timed out: "sleep 60" timed out after 300ms'


async def test_a_hook_goes_before_the_signal_and_its_time_is_part_of_the_grace(tmp_path: Path) -> None:
    """SIGTERM comes when the hook is done, SIGKILL when the grace is over."""
    program = "trap 'test -e hook && echo after; exit 0' TERM; echo up; while :; do sleep 0.01; done"
    log = tmp_path / "0.log"
    run = await Run.start(("sh", "-c", f"cd {tmp_path}; {program}"), TARGET.environment, log)
    async with asyncio.timeout(30):
        while not run.last_line:
            await asyncio.sleep(0.01)
    hook = Exec(("touch", str(tmp_path / "hook")))

    await end_run(run, hook, TARGET, grace_s=30)

    assert await run.wait() == 0
    assert run.last_line == "after"


async def test_a_hook_of_a_process_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody is left whom it could prepare."""
    run = await Run.start(("true",), TARGET.environment, tmp_path / "0.log")
    began = time.monotonic()

    await end_run(run, Sleep(300), TARGET, grace_s=300)

    assert time.monotonic() - began < 60
    assert await run.wait() == 0
