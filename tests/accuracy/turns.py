"""Turns as eras B and C write them: from the client's own transcript, or from audio over the socket."""

from __future__ import annotations

from collections.abc import Callable

from tests.accuracy.ai_services import Spoken, ask_service, speak, work
from tests.accuracy.deliveries import broadcast
from tests.accuracy.story import Story
from tests.accuracy.truth import Line, Stage, Turn

_FAILURES = 0.03


def tell_trigger(story: Story, sid: str) -> Turn:
    """A turn of eras B and C that the client's own transcript triggers: no STT."""
    assert story.open_socket is not None
    spoken = speak(story)
    start = story.say(
        "orchestrator", "Trigger LLM event received", session=sid,
        connection=story.open_socket.connection, transcript=spoken.question,
    )  # fmt: skip
    text = "Processing final transcript to trigger AI pipeline"
    story.say("orchestrator", text, session=sid, transcript=spoken.question)
    return _tell_stages(story, sid, start, spoken, (_think, _voice))


def tell_socket_audio(story: Story, sid: str) -> Turn:
    """A turn of era C whose audio came over the socket."""
    assert story.open_socket is not None
    spoken, connection = speak(story), story.open_socket.connection
    story.bind(sid)
    text = "Stored session ID mapping for WebSocket connection"
    story.say("orchestrator", text, session=sid, connection=connection)
    start = story.say(
        "orchestrator", "Received audio_data event from frontend", session=sid, connection=connection,
        audioSize=spoken.bytes, isFinal=True, event="audio_data",
    )  # fmt: skip
    story.say("orchestrator", "Processing final audio with complete AI pipeline", session=sid)
    story.say("orchestrator", "Decoded final audio data successfully", session=sid, audioSize=spoken.bytes)
    story.say("orchestrator", "Converted PCM to WAV", level="debug", pcmSize=spoken.bytes, sampleRate=16000)
    story.say("orchestrator", "Sending WAV data to STT service", session=sid, wavDataSize=spoken.bytes + 44)
    story.say("orchestrator", "Starting AI pipeline with state tracking", session=sid)
    return _tell_stages(story, sid, start, spoken, (_hear, _think, _voice))


Teller = Callable[[Story, str, Spoken], Stage]


def _tell_stages(story: Story, sid: str, start: Line, spoken: Spoken, tellers: tuple[Teller, ...]) -> Turn:
    story.say("orchestrator", "Updated pipeline state", session=sid, state="processing")
    broadcast(story, sid)
    stages = []
    for tell in tellers:
        if story.rng.random() < _FAILURES:
            return _fail(story, sid, start, stages)
        stages.append(tell(story, sid, spoken))
    story.say("orchestrator", "Updated pipeline state", session=sid, state="complete")
    broadcast(story, sid)
    end = story.say("orchestrator", "AI pipeline completed successfully", session=sid)
    return Turn(start, end, tuple(stages))


def _fail(story: Story, sid: str, start: Line, stages: list[Stage]) -> Turn:
    """The next stage runs and ends in an error; so does the turn."""
    name = ("stt", "llm", "tts")[len(stages) if start.message.startswith("Rec") else len(stages) + 1]
    begin = _execute(story, sid, name)
    work(story, name)
    end = story.say(
        "orchestrator", "Pipeline error occurred", level="error", session=sid, service=name,
        error=f"{name} service unavailable (attempt 3/3)",
    )  # fmt: skip
    text = (
        "Failed to process AI pipeline"
        if start.message.startswith("Rec")
        else "Failed to process final transcript"
    )
    last = story.say("orchestrator", text, level="error", session=sid, error=f"{name} failed")
    return Turn(start, last, (*stages, Stage(name, begin, end)))


def _execute(story: Story, sid: str, name: str) -> Line:
    story.say("orchestrator", "Updated service state", session=sid, service=name, state="waiting")
    line = story.say("orchestrator", "Updated service state", session=sid, service=name, state="executing")
    story.wait(1, 6)
    ask_service(story, name)
    return line


def _complete(story: Story, sid: str, name: str) -> Line:
    line = story.say("orchestrator", "Updated service state", session=sid, service=name, state="complete")
    broadcast(story, sid)
    return line


def _hear(story: Story, sid: str, spoken: Spoken) -> Stage:
    start = _execute(story, sid, "stt")
    work(story, "stt")
    story.say(
        "orchestrator", "STT completed successfully", level="debug",
        transcription=spoken.question, latency_ms=300, attempt=1,
    )  # fmt: skip
    end = _complete(story, sid, "stt")
    text = "STT processing completed"
    story.say("orchestrator", text, session=sid, transcript=spoken.question, processingTime=300)
    return Stage("stt", start, end)


def _think(story: Story, sid: str, spoken: Spoken) -> Stage:
    start, orchestrator = _execute(story, sid, "llm"), "orchestrator"
    work(story, "llm")
    if story.session.era == "C":
        size = len(spoken.reply)
        text = "Before cleaning thinking tags"
        story.say(orchestrator, text, level="debug", original_response=spoken.reply, response_length=size)
        text = "After cleaning thinking tags"
        story.say(orchestrator, text, level="debug", cleaned_response=spoken.reply, response_length=size)
    text = "LLM completed successfully"
    story.say(orchestrator, text, level="debug", response=spoken.reply, tokens_used=31, latency_ms=900)
    end = _complete(story, sid, "llm")
    text = "Storing cleaned LLM response in session metadata"
    story.say(orchestrator, text, session=sid, llm_raw=spoken.reply, llm_cleaned=spoken.reply)
    text = "LLM processing completed"
    story.say(orchestrator, text, session=sid, response=spoken.reply, processingTime=900)
    broadcast(story, sid)
    story.say(orchestrator, "Text sent to TTS service", session=sid, tts_input=spoken.reply)
    return Stage("llm", start, end)


def _voice(story: Story, sid: str, spoken: Spoken) -> Stage:
    start = _execute(story, sid, "tts")
    work(story, "tts")
    text = "TTS completed successfully"
    story.say("orchestrator", text, level="debug", audio_size=spoken.bytes, latency_ms=500, attempt=1)
    end = _complete(story, sid, "tts")
    text = "TTS processing completed"
    story.say("orchestrator", text, session=sid, audioSize=spoken.bytes, processingTime=500)
    broadcast(story, sid)
    return Stage("tts", start, end)
