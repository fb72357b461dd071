"""The real thing: WebRTC, Kafka, speech, the Cloud Logging protocol, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.errors import StackError
from pipeline.local.quiet import wait_until_quiet
from pipeline.local.state import PROJECT

DIAG = Path(sys.executable).with_name("diag")
READY_S, CALL_S = 180, 240
# How long a caller waits for a reply: speech recognition may share its cores with another test process
REPLY_S = "60"
# The ingestion lag, and the second that diag leaves a session before it is over
SETTLED_S = 6.0


def environment() -> dict[str, str]:
    """What a user's shell has, without any setting of the tools."""
    kept = ("PATH", "HOME", "LANG", "XDG_CACHE_HOME", "JAVA_HOME", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def run(*command: str, cwd: Path, timeout: float = CALL_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.fixture
async def hung_up() -> AsyncIterator[None]:
    """Connections that the test has closed are dropped: a service that had enough never reads the rest of a flood."""
    yield
    for transport in list(asyncio.get_running_loop()._transports.values()):
        if transport.is_closing() and transport.get_write_buffer_size():
            transport.abort()
    await asyncio.sleep(0)


@dataclass(frozen=True)
class Live:
    """A stack that runs in `folder`."""

    folder: Path

    def call(self, *options: str) -> dict[str, Any]:
        """One call through it; the caller's own report."""
        patience = () if "--mismatch" in options else ("--reply-timeout", REPLY_S)
        done = run(sys.executable, "-m", "pipeline", "call", *patience, *options, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def state(self) -> dict[str, Any]:
        """The stack as it describes itself."""
        return json.loads((self.folder / ".stack/stack.json").read_text("utf-8"))

    def diag(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run diag with the stack's settings."""
        return run(str(DIAG), *words, "--config", ".stack/diag.toml", cwd=self.folder)

    def settle(self, session_ids: Collection[str]) -> None:
        """Wait until diag may take these sessions for over: to ask it before that costs the machine, not the wait."""
        waiting = wait_until_quiet(self.state()["logging"], PROJECT, session_ids, SETTLED_S)
        with (
            ThreadPoolExecutor(1) as thread,
            suppress(StackError),
        ):  # what never rests is told by the test itself
            thread.submit(asyncio.run, waiting).result()  # a browser's test has an event loop of its own

    def judge(self, session_id: str) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON, once the session's last entries are older than the ingestion lag."""
        self.settle([session_id])
        return eventually(lambda: self._judge(session_id), 180)

    def _judge(self, session_id: str) -> tuple[int, dict[str, Any]] | None:
        done = self.diag("session", session_id, "-o", "json")
        answer = json.loads(done.stdout)
        quiet = answer["session"] is not None and not answer["session"]["open"]
        return (done.returncode, answer) if quiet else None


def eventually(look: Callable[[], Any], deadline_s: float) -> Any:
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"not so within {deadline_s} s")


@contextmanager
def run_stack(folder: Path, *options: str) -> Iterator[Live]:
    """A stack that is up; it ends in order, and leaves no process."""
    with (folder / "up.log").open("w") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "up", *options],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: "is up" in (folder / "up.log").read_text() or up.poll() is not None, READY_S)
        assert up.poll() is None, (folder / "up.log").read_text()
        yield Live(folder)
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(120) == 0, (folder / "up.log").read_text()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A stack for all tests of this folder."""
    with run_stack(tmp_path_factory.mktemp("stack")) as live:
        yield live
