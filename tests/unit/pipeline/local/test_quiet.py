from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from pipeline.local import quiet
from pipeline.local.errors import StackError
from pipeline.local.quiet import LAG_S, wait_until_quiet

NOW_S = 1_753_615_600.0


class Clock:
    """Goes on by what is slept alone: how long the server takes to answer is the machine's matter."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def monotonic(self) -> float:
        return self.slept_s

    def time_ns(self) -> int:
        return round((NOW_S + self.slept_s) * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds + 0.001  # no sleep ends too soon


@pytest.fixture
def clock(monkeypatch):
    """The clock by which is waited."""
    clock = Clock()
    monkeypatch.setattr(quiet, "time", clock)
    monkeypatch.setattr(quiet, "asyncio", SimpleNamespace(sleep=clock.sleep, to_thread=asyncio.to_thread))
    return clock


@pytest.fixture
def log(logging_server, entry):
    """`log(age_s, session_id)`: an entry of that age."""

    def write(age_s, session_id):
        at = NOW_S - age_s
        logging_server.write(entry(at, f"{at}", json_payload={"session_id": session_id}))

    return write


async def ask(server, *session_ids):
    await wait_until_quiet(server.endpoint, "test-project", session_ids)


async def test_old_entries_are_not_waited_for(logging_server, log, clock):
    """Sessions that came to rest long ago are judged at once."""
    log(LAG_S + 5, "a")
    log(LAG_S + 1, "b")
    await ask(logging_server, "a", "b")

    assert clock.slept_s == 0


async def test_the_last_entry_decides(logging_server, log, clock):
    """The wait is as long as the youngest entry of the sessions is too young, no longer."""
    log(LAG_S + 5, "a")
    log(LAG_S - 1, "b")
    log(0, "of another session")
    await ask(logging_server, "a", "b")

    assert clock.slept_s == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("age_s", [None, -3600.0])
async def test_sessions_that_never_rest_are_given_up(logging_server, log, clock, monkeypatch, age_s):
    """No entry at all, or entries without end, are an error and no endless wait."""
    monkeypatch.setattr(quiet, "_DEADLINE_S", 0.6)
    if age_s is not None:
        log(age_s, "a")

    with pytest.raises(StackError, match="have not come to rest in the logs"):
        await ask(logging_server, "a")
