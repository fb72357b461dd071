"""The reference voice agent's figures, measured on a whole stack and written into ``docs/voice.md``.

    python -m tests.bench.voice [--page PATH]

It wants a quiet machine, and says on the page how loud it was. Exit 1 where a promised figure is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp

from pipeline.local.calls import CallPlan, make_call
from pipeline.local.kafka_admin import ALL_TOPICS
from pipeline.local.plan import Plan
from pipeline.local.services import MEDIA_SERVER, ORCHESTRATOR, RESULTS
from pipeline.local.stack import Stack
from pipeline.local.state import StackState
from pipeline.media_server.core import END_SILENCE_MS
from tests.bench.voice_sessions import Growth, open_and_close

PAGE = Path(__file__).parents[2] / "docs" / "voice.md"
STAGES = ("stt", "llm", "tts")
CALLS, SESSIONS, STAGGER_S = 5, 20, 3.0
STORED_S = 30


# Above half a core's load for each core others take part in every wait.
_LOUD = (
    "At such a load the waits are longer than on a machine of one's own; what sessions leave behind is not.",
)


@dataclass(frozen=True)
class Turns:
    """What was measured of some calls."""

    calls: list[dict[str, Any]]
    stages: dict[str, list[float]]
    wanted: int

    @property
    def waits_ms(self) -> list[float]:
        """From the end of the sentence to text and sound of the reply; of answered turns."""
        return [turn["waited_ms"] for call in self.calls for turn in call["turns"] if turn["reply"]]

    @property
    def connects_ms(self) -> list[float]:
        """From the first request until media could flow; infinite for a call that never was."""
        return [call["connected_ms"] or float("inf") for call in self.calls]


async def one_after_the_other(state: StackState) -> Turns:
    """A warm-up, then `CALLS` calls of two turns, nobody else on the line."""
    await make_call(state, CallPlan(), quiet=True)
    calls = [(await make_call(state, CallPlan(), quiet=True))[1] for _ in range(CALLS)]
    return Turns(calls, await read_stages(state, calls), 2 * CALLS)


async def many_at_once(state: StackState) -> Turns:
    """`SESSIONS` calls of two turns, one begun every `STAGGER_S`."""

    async def call(number: int) -> dict[str, Any]:
        await asyncio.sleep(number * STAGGER_S)
        return (await make_call(state, CallPlan(reply_timeout_s=60), quiet=True))[1]

    calls = list(await asyncio.gather(*(call(number) for number in range(SESSIONS))))
    return Turns(calls, await read_stages(state, calls), 2 * SESSIONS)


async def read_stages(state: StackState, calls: list[dict[str, Any]]) -> dict[str, list[float]]:
    """How long each stage took, as the results service has stored it."""
    found: dict[str, list[float]] = {stage: [] for stage in STAGES}
    url = f"http://{state.address_of(RESULTS)}/sessions/"
    async with aiohttp.ClientSession() as client, asyncio.timeout(STORED_S):
        for call in calls:
            wanted = len(STAGES) * sum(turn["reply"] is not None for turn in call["turns"])
            for stage in await _read_session(client, url + call["session_id"], wanted):
                found[stage["stage"]].append(stage["latency_ms"])
    return found


async def _read_session(client: aiohttp.ClientSession, url: str, wanted: int) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = []
    while len(stages) < wanted:
        async with client.get(url) as answer:
            turns = (await answer.json())["turns"] if answer.status == 200 else []
        stages = [stage for turn in turns for stage in turn["stages"]]
        await asyncio.sleep(0.1)
    return stages


def p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def verdict(*, kept: bool) -> str:
    return "kept" if kept else "**missed**"


@dataclass(frozen=True)
class Figure:
    """One promised figure."""

    name: str
    promised: str
    measured: str
    kept: bool

    def to_row(self) -> str:
        return f"| {self.name} | {self.promised} | {self.measured} | {verdict(kept=self.kept)} |"


def judge(alone: Turns, many: Turns, growth: list[Growth]) -> list[Figure]:
    """The promises of the voice agent."""
    p50 = median(alone.waits_ms)
    connects = [*alone.connects_ms, *many.connects_ms]
    lost = many.wanted - len(many.waits_ms)
    figures = [
        Figure("end of speech to text and sound of the reply, one session, p50", "about 1.6 s",
               f"{p50 / 1000:.2f} s", p50 <= 1_900),
        Figure(f"turns lost, {SESSIONS} sessions of 2 turns, one begun every {STAGGER_S:g} s", "0",
               f"{lost} of {many.wanted}", lost == 0),
        Figure("the same, wait for the reply, p50 and p95", "published",
               f"{median(many.waits_ms) / 1000:.2f} s, {p95(many.waits_ms) / 1000:.2f} s", kept=True),
        Figure("a session is connected, slowest", "1 s", f"{max(connects) / 1000:.2f} s", max(connects) <= 1_000),
    ]  # fmt: skip
    return figures + [figure for one in growth for figure in judge_growth(one)]


def judge_growth(growth: Growth) -> list[Figure]:
    before, after = growth.before, growth.after
    return [
        Figure(f"{growth.service}: memory a session, after the first {growth.first}", "0.1 MB",
               f"{growth.mb_a_session:.3f} MB", growth.mb_a_session <= 0.1),
        Figure(f"{growth.service}: open files, sessions, tasks at the end", "as at the beginning",
               f"{after.files} of {before.files}, {after.sessions} of {before.sessions},"
               f" {after.tasks} of {before.tasks}", growth.is_back),
    ]  # fmt: skip


def to_shares(alone: Turns) -> list[str]:
    """Where the time of one session's turn goes, at p50."""
    whole = median(alone.waits_ms)
    parts = {"the pause that ends a sentence": float(END_SILENCE_MS)}
    parts |= {stage.upper(): median(alone.stages[stage]) for stage in STAGES}
    parts["the way there and back: WebRTC, Kafka, the voice's own lead-in"] = whole - sum(parts.values())
    return [f"| {name} | {ms:.0f} ms | {ms / whole:.0%} |" for name, ms in parts.items()]


def to_page(alone: Turns, figures: list[Figure], load: float) -> str:
    now = datetime.now(UTC).strftime("%d %b %Y")
    lines = [
        "# The voice agent's figures",
        "",
        f"Made by `python -m tests.bench.voice` on {now}: the whole stack and all its callers on one machine",
        f"({os.cpu_count()} cores, Python {platform.python_version()}), whose load was {load:.1f} before.",
        *(_LOUD if load > (os.cpu_count() or 1) / 2 else ()),
        "",
        "| figure | promised | measured | |",
        "|---|---|---|---|",
        *(figure.to_row() for figure in figures),
        "",
        f"Where the time of a turn goes, one session, p50 of {len(alone.waits_ms)} turns:",
        "",
        "| part | time | share |",
        "|---|---|---|",
        *to_shares(alone),
        "",
        "What a caller is told when something fails: [voice-failures.md](voice-failures.md).",
    ]
    return "\n".join(lines) + "\n"


async def measure() -> tuple[Turns, Turns, list[Growth]]:
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder), ALL_TOPICS, ready_s=120)
        async with Stack(plan, lambda text: print(text, file=sys.stderr)) as stack:
            alone = await one_after_the_other(stack.state)
            print(f"alone: {alone.waits_ms} connected {alone.connects_ms}", file=sys.stderr)
            growth = await open_and_close(stack.state, (MEDIA_SERVER, ORCHESTRATOR))
            print(*growth, sep="\n", file=sys.stderr)
            many = await many_at_once(stack.state)
            print(f"many: {many.waits_ms} connected {many.connects_ms}", file=sys.stderr)
    return alone, many, growth


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.voice")
    parser.add_argument("--page", type=Path, default=PAGE)
    page = parser.parse_args().page
    load = os.getloadavg()[0]
    alone, many, growth = asyncio.run(measure())
    figures = judge(alone, many, growth)
    page.write_text(to_page(alone, figures, load), "utf-8")
    print(json.dumps({figure.name: figure.measured for figure in figures}, indent=2))
    sys.exit(0 if all(figure.kept for figure in figures) else 1)


if __name__ == "__main__":
    main()
