"""What is said in a turn, how long the AI services take, and the lines of a request to one of them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.accuracy.contents import answer, ask
from tests.accuracy.story import Story

LEAST_MS = {"stt": 120, "llm": 300, "tts": 150}
MOST_MS = {"stt": 900, "llm": 3500, "tts": 1400}


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn's contents."""

    question: str
    reply: str
    bytes: int


def speak(story: Story) -> Spoken:
    """What is said in the next turn."""
    rng = story.rng
    return Spoken(ask(rng), answer(rng), rng.randint(20_000, 160_000))


def work(story: Story, stage: str) -> None:
    """The stage takes its time."""
    story.wait(LEAST_MS[stage], MOST_MS[stage])


_ACCESS = {
    "stt": 'INFO:     10.8.1.{host}:{port} - "POST /transcribe HTTP/1.1" 200 OK',
    "llm": '[GIN] 2025/07/28 - 10:53:20 | 200 |  1.2s | 10.8.1.{host} | POST     "/api/generate"',
    "tts": 'INFO:     10.8.1.{host}:{port} - "GET /synthesize?text=Hello HTTP/1.1" 200 OK',
}


_RETRIED = 0.04
_RETRIES = {"stt": "STT", "llm": "LLM", "tts": "TTS"}


def ask_service(story: Story, stage: str) -> None:
    """A request to an AI service of the reference system: no line of it has any ID, on either side."""
    if story.rng.random() < _RETRIED:
        story.say(
            "orchestrator", f"{_RETRIES[stage]} request failed, retrying...", level="warning",
            attempt=1, max_retries=3, error="read: connection reset by peer",
        )  # fmt: skip
        story.wait(1000, 1010)
    host, port = story.rng.randint(2, 250), story.rng.randint(30000, 60000)
    story.say(f"{stage}-service", _ACCESS[stage].format(host=host, port=port), text=True)
