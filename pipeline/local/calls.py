"""One call through a running stack, by the scripted caller."""

from __future__ import annotations

import asyncio
import json
import random
import string
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.errors import StackError
from pipeline.local.processes import run
from pipeline.local.services import MEDIA_SERVER, ORCHESTRATOR
from pipeline.local.state import StackState, read_state

# general speech recognition hears both right in this voice
SENTENCES = ("what are your opening hours", "i would like to book a table")
_VOICE = "rms"
_BASE_36 = string.digits + string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What the caller does.

    Attributes:
        sentences: what is said.
        mismatch: whether the WebSocket is bound to another session than the media server has.
        reply_timeout_s: how long the caller waits for each reply.
        interrupt: whether each next sentence is spoken over the reply to the one before.
    """

    sentences: tuple[str, ...] = SENTENCES
    mismatch: bool = False
    reply_timeout_s: float = 15.0
    interrupt: bool = False


def call_once(folder: Path, plan: CallPlan) -> tuple[int, dict[str, Any]]:
    """One call through the stack that runs in `folder`; see `make_call`."""
    return asyncio.run(make_call(read_state(folder), plan))


async def make_call(state: StackState, plan: CallPlan, *, quiet: bool = False) -> tuple[int, dict[str, Any]]:
    """The caller's exit code (0: there was a call) and its report.

    Unless `quiet`, its notes go to stderr. Raises `StackError` where it reports nothing.
    """
    code, report, notes = await run(_build_command(state, plan), capture=True, quiet=quiet)
    try:
        return code, dict(json.loads(report))
    except ValueError as error:
        reason = (notes.strip().splitlines() or [f"exit code {code}"])[-1]
        raise StackError(f"the call was not made: {reason}") from error


def mint_browser_session_id() -> str:
    """A session ID as a browser mints it: milliseconds and nine characters to the base 36."""
    return f"session_{time.time_ns() // 1_000_000}_{''.join(random.choices(_BASE_36, k=9))}"


def _name_sockets(state: StackState) -> list[str]:
    """Where the orchestrators take sockets, in the order in which the caller is to try them."""
    addresses = list(state.addresses_of(ORCHESTRATOR))
    random.shuffle(addresses)
    return [word for address in addresses for word in ("--ws", f"ws://{address}/ws")]


def _build_command(state: StackState, plan: CallPlan) -> list[str]:
    command = [
        *(sys.executable, "-m", "pipeline.frontend"),
        *("--whip", f"http://{random.choice(state.addresses_of(MEDIA_SERVER))}/whip"),
        *_name_sockets(state),
        *("--reply-timeout", str(plan.reply_timeout_s)),
        *("--voice", _VOICE),
    ]
    for sentence in plan.sentences:
        command += ["--say", sentence]
    if plan.interrupt:
        command.append("--interrupt")
    if plan.mismatch:
        command += ["--socket-session-id", mint_browser_session_id()]
    return command
