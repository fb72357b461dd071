from __future__ import annotations

import asyncio

import pytest

from pipeline.local.control import restart_service
from pipeline.local.errors import StackError
from pipeline.local.plan import Plan
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


def test_no_stack(tmp_path):
    """Where no stack runs there is one line that says how to start one."""
    with pytest.raises(StackError, match=r"no stack runs in .*: start one with python -m pipeline up"):
        restart_service(tmp_path, "orchestrator")
