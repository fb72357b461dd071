from __future__ import annotations

import asyncio

import pytest

from pipeline.local.control import change_switches, restart_service
from pipeline.local.errors import StackError
from pipeline.local.plan import Plan, plan_from_environment
from pipeline.local.services import Service
from pipeline.local.stack import Stack


async def test_restart_from_another_process(tmp_path, stand_in):
    """The service's process ends, its supervisor starts the next, and both agree on what runs."""
    folder = tmp_path / "stack"
    async with Stack(Plan(folder, (), (Service("orchestrator", stand_in),), "127.0.0.1:9")) as stack:
        before = stack.state.pods["orchestrator"]

        new = await asyncio.to_thread(restart_service, folder, "orchestrator")

        assert new == stack.state.pods["orchestrator"]
        assert (new.name, new.restarts) == (before.name, 1)
        assert new.pid != before.pid


async def test_unknown_service(tmp_path, stand_in):
    """The error lists what can be restarted."""
    folder = tmp_path / "stack"
    async with Stack(Plan(folder, (), (Service("orchestrator", stand_in),), "127.0.0.1:9")):
        with pytest.raises(StackError, match="no service tts in the stack: it has orchestrator"):
            await asyncio.to_thread(restart_service, folder, "tts")


async def test_switches_of_the_logging_server(tmp_path, stand_in):
    """They begin as planned, and change while the stack runs; a wrong one is named and changes nothing."""
    folder = tmp_path / "stack"
    plan = Plan(
        folder, (), (Service("orchestrator", stand_in),), "127.0.0.1:9", switches={"LATENCY_S": "0.5"}
    )
    async with Stack(plan):
        set_to = await asyncio.to_thread(change_switches, folder, {"jitter_s": "0.25"})
        with pytest.raises(StackError, match="no switch 'jiter_s'; did you mean jitter_s"):
            await asyncio.to_thread(change_switches, folder, {"jiter_s": "1"})

    assert (set_to["latency_s"], set_to["jitter_s"]) == (0.5, 0.25)


def test_switches_from_the_environment(tmp_path, monkeypatch):
    """``LOGGING_`` and the switch's name; other variables are none of the server's."""
    monkeypatch.setenv("LOGGING_READ_REQUESTS_PER_MINUTE", "60")
    monkeypatch.setenv("LOGGING_ENDPOINT", "x")

    assert plan_from_environment(tmp_path).switches == {"READ_REQUESTS_PER_MINUTE": "60"}


def test_no_stack(tmp_path):
    """Where no stack runs there is one line that says how to start one."""
    with pytest.raises(StackError, match=r"no stack runs in .*: start one with python -m pipeline up"):
        restart_service(tmp_path, "orchestrator")
