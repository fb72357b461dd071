"""The demo: real calls through a real stack, explained by ``diag``."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local import state as local
from pipeline.local.calls import CallPlan, make_call
from pipeline.local.errors import StackError
from pipeline.local.kafka_admin import delete_topic, is_consumed, is_starved
from pipeline.local.manifests import MANIFESTS
from pipeline.local.processes import REPOSITORY, run
from pipeline.local.quiet import wait_until_quiet
from pipeline.local.readiness import wait_until
from pipeline.local.services import STT
from pipeline.local.stack import Stack
from pipeline.wire.records import AUDIO_IN, ORCHESTRATOR_GROUP

HEALTHY, SICK = 0, 12
# Nothing of a machine that is slow is a fault that a demo is to show
_PATIENT = CallPlan(reply_timeout_s=60.0)
_SICK_REPLY_S = 6.0  # none will come
_CONSUMER_S = 120.0
_ROLLOUT_S = 180
_NO_TAG = "9.9.9"

Report = Callable[[str], None]


def start_clock() -> Report:
    """A reporter of progress on stderr: each line with the seconds since now."""
    start = time.monotonic()

    def report(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - start:6.1f} s  {text}\n")
        sys.stderr.flush()

    return report


def _to_repository() -> tuple[str, ...]:
    """The option that names the services' repository; none where their source is no checkout."""
    return ("--repo", str(REPOSITORY)) if (REPOSITORY / ".git").exists() else ()


def find_diag() -> Path:
    """The ``diag`` of this virtual environment; raises `StackError` if it has none."""
    diag = Path(sys.executable).with_name("diag")
    if not diag.exists():
        raise StackError(f"{diag} is missing: install the project, for example with make setup")
    return diag


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo works with: `config` is the ``diag.toml`` as the user would name it."""

    stack: Stack
    diag: Path
    config: Path
    report: Report

    async def explain_two_calls(self) -> int:
        """A healthy call and one whose frontend binds another session ID; the exit code."""
        healthy = await self._call("a healthy call", _PATIENT)
        sick = await self._call(
            "a call whose WebSocket announces another session ID",
            CallPlan(mismatch=True, reply_timeout_s=_SICK_REPLY_S),
        )
        await self._wait_until_quiet(healthy, sick)
        await self._explain(healthy, HEALTHY)
        await self._explain(sick, SICK)
        self.report("both sessions are explained as expected")
        return 0

    async def repair_topics(self) -> int:
        """audio-in is lost, found missing, made again, and consumed again; the exit code."""
        await self._wait_until("audio-in is consumed", is_consumed)
        await delete_topic(self.stack.state.kafka, AUDIO_IN)
        await self._wait_until("audio-in is deleted, nobody consumes it", is_starved)
        await self._diag("topics", expected=SICK)
        plan = await self._diag("topics", "--create-missing", expected=0, capture=True)
        sys.stdout.write(plan)
        sys.stdout.flush()
        await self._diag("topics", expected=SICK)  # it is there, and nobody reads it yet
        for service in self._find_named(plan):
            self.report(f"restarting {service}")
            await self.stack.restart(service)
        await self._wait_until("audio-in is consumed again", is_consumed)
        await self._diag("topics", expected=0)
        call = await self._call("a healthy call", _PATIENT)
        await self._wait_until_quiet(call)
        await self._explain(call, HEALTHY)
        self.report("the topic is repaired and a call goes through")
        return 0

    async def break_a_rollout(self) -> int:
        """A call through the cluster, then an image that does not exist, seen and taken back."""
        call = await self._call("a call through the pods", _PATIENT)
        image = f"{STT}=voice-agent/{STT}:{_NO_TAG}"
        await self._kubectl("set", "image", f"deployment/{STT}", image)
        await self._wait_for_pod("ImagePullBackOff")
        await self._kubectl("rollout", "status", f"deployment/{STT}", "--timeout=1s", expected=1)
        await self._kubectl("get", "pods")
        await self._diag("cluster", expected=0)
        await self._kubectl("rollout", "undo", f"deployment/{STT}")
        await self._kubectl("rollout", "status", f"deployment/{STT}", f"--timeout={_ROLLOUT_S}s")
        await self._wait_until_quiet(call)
        await self._explain(call, HEALTHY, "--manifests", str(MANIFESTS), *_to_repository())
        self.report("the old pod has served all the time, and the rollout is taken back")
        return 0

    async def _kubectl(self, *words: str, expected: int = 0, capture: bool = False) -> str:
        """Run kubectl in the user's terminal; its stdout if `capture`."""
        if not capture:
            self.report(f"kubectl {' '.join(words)}")
        code, output, _ = await run((self.stack.state.kubectl, *words), capture=capture)
        if code != expected:
            raise StackError(f"kubectl {' '.join(words)} ended with {code}, expected was {expected}")
        return output

    async def _wait_for_pod(self, status: str) -> None:
        async def is_so() -> bool:
            return status in await self._kubectl("get", "pods", capture=True)

        if not await wait_until(is_so, _ROLLOUT_S):
            raise StackError(f"no pod is {status} after {_ROLLOUT_S} s")

    async def _call(self, what: str, plan: CallPlan) -> dict[str, Any]:
        self.report(f"{what}: {', '.join(plan.sentences)}")
        code, call = await make_call(self.stack.state, plan, quiet=True)
        if code != 0:
            raise StackError(f"the call of session {call.get('session_id')} was never connected")
        answered = sum(1 for turn in call["turns"] if turn["reply"])
        self.report(f"{call['session_id']}: {answered} of {len(plan.sentences)} sentences answered")
        return call

    async def _wait_until_quiet(self, *calls: dict[str, Any]) -> None:
        self.report("waiting until the last log entries are older than the ingestion lag")
        ids = {call[key] for call in calls for key in ("session_id", "socket_session_id")}
        await wait_until_quiet(self.stack.state.logging, local.PROJECT, sorted(ids))

    async def _explain(self, call: dict[str, Any], expected: int, *more: str) -> None:
        await self._diag("session", call["session_id"], *more, expected=expected)

    async def _diag(self, *words: str, expected: int, capture: bool = False) -> str:
        """Run diag in the user's terminal; its stdout if `capture`."""
        command = (*words, "--config", str(self.config))
        self.report(f"diag {' '.join(command)}")
        code, output, _ = await run((str(self.diag), *command), capture=capture)
        if code != expected:
            raise StackError(f"diag {' '.join(words)} ended with {code}, expected was {expected}")
        return output

    async def _wait_until(self, what: str, is_so: Callable[[str, str, str], Awaitable[bool]]) -> None:
        """Wait until something is so of the orchestrator's group and audio-in."""
        bootstrap = self.stack.state.kafka
        if not await wait_until(lambda: is_so(bootstrap, ORCHESTRATOR_GROUP, AUDIO_IN), _CONSUMER_S):
            raise StackError(f"not so after {_CONSUMER_S:g} s: {what}")
        self.report(what)

    def _find_named(self, text: str) -> list[str]:
        """The services that `text` tells to restart, each as a whole word of such a line."""
        told = "\n".join(line for line in text.splitlines() if "restart" in line)
        named = [name for name in self.stack.state.pods if re.search(rf"\b{re.escape(name)}\b", told)]
        if not named:
            raise StackError("diag topics --create-missing names no consumer to restart")
        return named
