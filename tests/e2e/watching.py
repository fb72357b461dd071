"""Services of the running stack: what they came through unharmed, and how one is kept away."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Live, eventually, run

LONGEST_LINE = 1_000
_CRI_HEAD = re.compile(r"^\S+ std(?:out|err) F ")
SETTLE_S = 120


@dataclass
class Watched:
    """One service's pod, and the lines that it wrote while it was watched."""

    live: Live
    service: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pod(self) -> dict[str, Any]:
        """As ``stack.json`` has it."""
        state = json.loads((self.live.folder / ".stack/stack.json").read_text("utf-8"))
        return state["pods"][self.service]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.pod['port']}"

    @property
    def rss_mb(self) -> float:
        """Resident memory of its process, in MB."""
        text = Path(f"/proc/{self.pod['pid']}/status").read_text("utf-8")
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) / 1024

    @property
    def written(self) -> list[str]:
        """All lines of its log so far, in order."""
        pod = self.pod
        (folder,) = (self.live.folder / ".stack/pods").glob(f"*_{pod['name']}_*/{self.service}")
        return [
            _CRI_HEAD.sub("", line)
            for path in sorted(folder.glob("*.log"))
            for line in path.read_text("utf-8").splitlines()
        ]

    def find(self, message: str, count: int = 1) -> list[dict[str, Any]]:
        """At least `count` new lines of that message, waited for."""
        return eventually(lambda: self._find(message, count), SETTLE_S)

    def _find(self, message: str, count: int) -> list[dict[str, Any]]:
        self.lines = [json.loads(line) for line in self.written[self._before :]]
        found = [line for line in self.lines if line["message"] == message]
        return found if len(found) >= count else []

    def __post_init__(self) -> None:
        self._before = len(self.written)


@contextmanager
def unharmed(live: Live, service: str, growth_mb: float = 48.0) -> Iterator[Watched]:
    """The service is the same process after it, has not grown by `growth_mb`, and wrote no long line."""
    watched = Watched(live, service)
    before, rss_mb = watched.pod, watched.rss_mb
    yield watched
    after = watched.pod
    new = watched.written[watched._before :]

    assert (after["pid"], after["restarts"]) == (before["pid"], before["restarts"])
    assert watched.rss_mb - rss_mb < growth_mb
    assert not [line[:200] for line in new if len(line) > LONGEST_LINE]
    assert not [line for line in new if "Traceback" in line]


@contextmanager
def kept_away(
    stack: Live, service: str, until: Callable[[], bool], *, then_at_once: bool = False
) -> Iterator[None]:
    """`service` is killed whenever it comes back, until `until` holds, or the block ends.

    How long it then stays away depends on how often it was killed, unless it is to be there `then_at_once`. At
    the end of the block it is there in any case.
    """
    ended = threading.Event()

    def bring_back() -> None:
        run(sys.executable, "-m", "pipeline", "restart", service, cwd=stack.folder)

    def kill() -> None:
        while not (until() or ended.wait(0.1)):
            pid = stack.state()["pods"][service]["pid"]
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if then_at_once:
            bring_back()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        ended.set()
        killer.join()
        if not then_at_once:
            bring_back()
