"""Turns as era A writes them: from a chunk of Kafka audio, every line under the consumed ID."""

from __future__ import annotations

from tests.accuracy.ai_services import ask_service, speak, work
from tests.accuracy.deliveries import deliver
from tests.accuracy.mapping import map_session
from tests.accuracy.story import Story
from tests.accuracy.truth import Stage, Turn

_TOPICS = {"stt": "stt-results", "llm": "llm-requests", "tts": "tts-results"}
_NOT_STORED = 0.08


def tell_era_a(story: Story, sid: str) -> Turn:
    """A turn of era A: from a chunk of Kafka audio, every line under the consumed ID."""
    spoken, orchestrator = speak(story), story.pods["orchestrator"]
    story.say("orchestrator", "Created new audio session", session=sid)
    start = story.say("orchestrator", "Starting AI pipeline", session=sid)
    map_session(story, sid)
    story.say("orchestrator", "Retrieved audio buffer", session=sid, opusSize=4100)
    story.say("orchestrator", "Audio decoded successfully", session=sid, pcmSize=1366)
    stages = [
        _stage_a(story, sid, "stt", "Starting Speech-to-Text", "STT completed successfully", transcript=spoken.question)
    ]  # fmt: skip
    deliver(story, sid, orchestrator, "final_transcript")
    stages.append(
        _stage_a(story, sid, "llm", "Starting AI response generation", "AI response generated successfully", response=spoken.reply)
    )  # fmt: skip
    deliver(story, sid, orchestrator, "ai_response")
    stages.append(
        _stage_a(story, sid, "tts", "Starting Text-to-Speech", "TTS completed successfully", audioSize=spoken.bytes)
    )  # fmt: skip
    deliver(story, sid, orchestrator, "tts_audio")
    end = story.say("orchestrator", "AI pipeline completed successfully", session=sid, totalLatency=2100)
    story.say("orchestrator", "Session cleaned up", level="debug", session=sid)
    return Turn(start, end, tuple(stages))


def _stage_a(story: Story, sid: str, name: str, begin: str, done: str, **fields: object) -> Stage:
    start = story.say("orchestrator", begin, session=sid)
    story.wait(1, 8)
    ask_service(story, name)
    work(story, name)
    end = story.say("orchestrator", done, session=sid, latency=400, **fields)
    _publish_result(story, sid, name)
    return Stage(name, start, end)


def _publish_result(story: Story, sid: str, stage: str) -> None:
    """Era A passes each stage's result on to the logging service, which stores it or says that it could not."""
    topic = _TOPICS[stage]
    story.add_record(topic, sid, (("session-id", sid), ("stage", stage)), 300, session_id=sid)
    text = "Published log to intermediate topic"
    story.say("orchestrator", text, level="debug", session=sid, topic=topic, stage=stage, latency=400)
    if story.rng.random() < _NOT_STORED:
        story.say(
            "logging-service", "Failed to store in ScyllaDB", level="error", session=sid,
            topic=topic, stage=stage, error="no hosts available in the pool",
        )  # fmt: skip
