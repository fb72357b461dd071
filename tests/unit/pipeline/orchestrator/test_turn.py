"""A turn's way: through all stages, one line for each step, delivered or withheld part by part."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from pipeline.orchestrator.conversations import Conversations
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.failures import Failure, StageError, Trouble
from pipeline.orchestrator.turn import Outcome, Turn, TurnConductor
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.progress import Place
from pipeline.wire.records import StageLog
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"


@dataclass
class Stages:
    """Stages with fixed results."""

    transcript: str = "a table please"
    reply: str = "at what time"
    speech: bytes = bytes(3200)
    failing: str | None = None
    messages: list = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def transcribe(self, turn: Turn, pcm: bytes) -> str:
        return await self._answer("stt", self.transcript)

    async def generate(self, turn: Turn, messages: list) -> str:
        self.messages.append(messages)
        return await self._answer("llm", self.reply)

    async def synthesize(self, turn: Turn, text: str) -> bytes:
        return await self._answer("tts", self.speech)

    async def _answer(self, stage: str, result):
        if self.hold is not None:
            await self.hold.wait()
        if self.failing == stage:
            raise StageError("status 503 (attempt 3)", Trouble.REFUSED)
        return result


@dataclass
class Delivery:
    """Notes what is delivered."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    sent: list[tuple[str, str | bytes]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    async def send_text(self, turn: Turn, message_type: str, text: str) -> Outcome:
        self.sent.append((message_type, text))
        return self.outcomes.get(message_type, Outcome.DELIVERED)

    async def send_audio(self, turn: Turn, pcm: bytes) -> Outcome:
        self.sent.append(("reply_audio", pcm))
        return self.outcomes.get("reply_audio", Outcome.DELIVERED)

    async def send_failure(self, turn: Turn, failure: Failure) -> None:
        self.failures.append(failure)


@dataclass
class World:
    """A conductor and what is around it."""

    stages: Stages = field(default_factory=Stages)
    delivery: Delivery = field(default_factory=Delivery)
    published: list[StageLog] = field(default_factory=list)
    trace = start_trace()

    def __post_init__(self) -> None:
        self.conductor = TurnConductor(
            self.stages,
            self.delivery,
            self.published.append,
            Conversations(),
            metrics=SessionMetrics(),
            log=Log("orchestrator"),
        )

    async def run(self, turn_id: str = "turn_0a1b2c3d") -> None:
        utterance = Utterance(SESSION, 1, bytes(32_000), 10, Place(0, 0), self.trace)
        await self.conductor.run(Turn(turn_id, utterance))


@pytest.fixture
def world(lines) -> World:
    """A conductor whose stages answer and whose caller is there."""
    return World()


async def test_a_turn_goes_its_whole_way(world, lines) -> None:
    """Each part is delivered as soon as its stage has it; every line has the turn and the trace."""
    await world.run()

    assert world.delivery.sent == [
        ("final_transcript", "a table please"),
        ("llm_response_text", "at what time"),
        ("reply_audio", bytes(3200)),
    ]
    assert lines.names() == ["turn-started", *["stage-state"] * 6, "turn-finished"]
    assert [(line["stage"], line["state"]) for line in lines.named("stage-state")] == [
        (stage, state) for stage in ("stt", "llm", "tts") for state in ("executing", "complete")
    ]
    assert lines.one("turn-finished")["outcome"] == "delivered"
    assert {(line["turn_id"], line["session_id"]) for line in lines.all} == {("turn_0a1b2c3d", SESSION)}
    assert {line[TRACE_KEY] for line in lines.all} == {world.trace.trace_id}


async def test_neither_lines_nor_stage_logs_tell_what_was_said(world, lines) -> None:
    """Lengths only."""
    await world.run()
    written = f"{lines.all} {[entry.to_value() for entry in world.published]}"

    assert "table" not in written
    assert "time" not in "".join(str(entry.data) for entry in world.published)
    complete = {
        line["stage"]: line.get("chars") or line.get("bytes")
        for line in lines.named("stage-state")
        if line["state"] == "complete"
    }
    assert complete == {"stt": 14, "llm": 12, "tts": 3200}


async def test_each_finished_stage_is_published(world) -> None:
    """With lengths and the time it took."""
    await world.run()

    assert [(entry.stage, entry.data) for entry in world.published] == [
        ("stt", {"audio_ms": 1000, "chars": 14}),
        ("llm", {"prompt_chars": 14, "messages": 2, "chars": 12}),
        ("tts", {"text_chars": 12, "bytes": 3200, "audio_ms": 100}),
    ]


@pytest.mark.parametrize(
    ("stage", "parts", "name"),
    [("stt", 0, "speech recognition"), ("llm", 1, "the language model"), ("tts", 2, "speech synthesis")],
)
async def test_a_failing_stage_ends_the_turn(world, lines, stage: str, parts: int, name: str) -> None:
    """What was reached before is delivered, the stage is named, in the log and, plainly, to the caller."""
    world.stages.failing = stage
    await world.run()

    assert world.delivery.failures == [Failure(stage, f"{name} reported an error")]

    assert len(world.delivery.sent) == parts
    assert lines.one("stage-failed")["stage"] == stage
    assert lines.one("stage-failed")["error"] == "status 503 (attempt 3)"
    assert lines.one("turn-finished")["outcome"] == "failed"
    assert len(world.published) == parts


async def test_a_fault_of_ours_ends_one_turn_and_is_told(world, lines) -> None:
    """The session's next turns wait behind it: nothing may escape, nor the error's text, which may quote."""

    async def fail(_turn: Turn, _pcm: bytes) -> str:
        raise ZeroDivisionError("no samples")

    world.stages.transcribe = fail
    await world.run()

    assert lines.one("stage-failed")["error"].startswith("ZeroDivisionError at test_turn.py:")
    assert [failure.stage for failure in world.delivery.failures] == ["turn"]
    assert lines.one("turn-finished")["outcome"] == "failed"


async def test_an_empty_transcript_ends_the_turn(world, lines) -> None:
    """Nothing is made up for a noise; the page says that no words were heard, which is no failure."""
    world.stages.transcript = ""
    await world.run()

    assert world.delivery.sent == [("turn_empty", "no words were recognised")]
    assert world.delivery.failures == []
    assert lines.one("transcript-empty")
    assert lines.one("turn-finished")["outcome"] == "empty"


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ({"final_transcript": Outcome.WITHHELD}, "withheld"),
        ({"reply_audio": Outcome.WITHHELD}, "withheld"),
        ({"reply_audio": Outcome.FAILED, "final_transcript": Outcome.WITHHELD}, "failed"),
        ({"llm_response_text": Outcome.FAILED}, "failed"),
    ],
)
async def test_a_turn_is_as_good_as_its_worst_part(world, lines, outcomes, outcome: str) -> None:
    """And it goes its whole way all the same."""
    world.delivery.outcomes = outcomes
    await world.run()

    assert len(world.delivery.sent) == 3
    assert lines.one("turn-finished")["outcome"] == outcome
    unspoken = outcomes.get("reply_audio") is Outcome.FAILED
    assert [failure.stage for failure in world.delivery.failures] == ["audio"] * unspoken


async def test_the_llm_hears_what_was_said_before(world) -> None:
    """The second turn's messages hold the first one's."""
    await world.run("turn_00000001")
    await world.run("turn_00000002")

    assert [message["content"] for message in world.stages.messages[1][1:]] == [
        "a table please",
        "at what time",
        "a table please",
    ]


async def test_a_turn_that_is_broken_off_has_its_last_line(world, lines) -> None:
    """At a shutdown, after the deadline: it has not failed, the next process leads it."""
    world.stages.hold = asyncio.Event()
    task = asyncio.create_task(world.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})

    assert lines.one("turn-finished")["outcome"] == "left"


async def test_the_turn_after_a_failed_one_works(world, lines) -> None:
    """As if nothing had been."""
    world.stages.failing = "llm"
    await world.run("turn_00000001")
    world.stages.failing = None
    await world.run("turn_00000002")

    ends = {line["turn_id"]: line["outcome"] for line in lines.named("turn-finished")}
    assert ends == {"turn_00000001": "failed", "turn_00000002": "delivered"}


async def test_an_interrupted_turn_says_so_at_its_end(world, lines, eventually) -> None:
    """It is told from one that a shutdown ended."""
    world.stages.hold = asyncio.Event()
    for turn_id, interrupted in (("turn_00000001", True), ("turn_00000002", False)):
        turn = Turn(turn_id, Utterance(SESSION, 1, b"", 1, Place(0, 0), None))
        task = asyncio.create_task(world.conductor.run(turn))
        await eventually(
            lambda turn_id=turn_id: lines.named("stage-state")[-1:] and lines.all[-1]["turn_id"] == turn_id
        )
        if interrupted:
            turn.interrupted.set()
        task.cancel()
        await asyncio.wait({task})

    ends = {line["turn_id"]: line["outcome"] for line in lines.named("turn-finished")}
    assert ends == {"turn_00000001": "interrupted", "turn_00000002": "left"}
