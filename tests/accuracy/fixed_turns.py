"""Turns as the fixed profile writes them: every line has its session and turn, the trace stands on all."""

from __future__ import annotations

from tests.accuracy.ai_services import work
from tests.accuracy.identifiers import mint_turn
from tests.accuracy.story import Story
from tests.accuracy.truth import Line, Record, Stage, Turn
from tests.accuracy.whip import consume, publish

_ASKS = {
    "stt": ("Transcription request received", "Transcription completed"),
    "llm": ("Starting generation", "Generation completed"),
    "tts": ("Starting synthesis", "Synthesis completed"),
}
_TOPICS = {"stt": "stt-results", "llm": "llm-requests", "tts": "tts-results"}
_BARE_AI_LINES = 0.15


def tell_fixed(story: Story, sid: str, utterance: int) -> tuple[Turn, Line, Record]:
    """One utterance through all services; `sid` is what the orchestrator knows the session by."""
    turn = mint_turn(story.rng)
    story.say("media-server", "Speech started", session=story.media, utterance=utterance)
    story.wait(700, 3000)
    start = story.say(
        "media-server", "Speech ended", session=story.media, utterance=utterance, speech_ms=1200
    )
    record, _ = publish(story, utterance)
    consumed = consume(story, record, sid, utterance)
    story.say(
        "orchestrator", "Complete audio ready for processing", session=sid, turn=turn,
        utterance=utterance, records=1, audio_ms=1200,
    )  # fmt: skip
    story.say("orchestrator", "Starting AI pipeline with state tracking", session=sid, turn=turn)
    stages = tuple(_tell_stage(story, sid, turn, name) for name in ("stt", "llm", "tts"))
    _reply(story, sid, turn)
    end = story.say(
        "orchestrator", "Turn finished", session=sid, turn=turn, outcome="answered", total_ms=2000
    )
    story.wait(2, 20)
    if sid == story.media:
        story.say("media-server", "Reply audio sent to the caller", session=sid, turn=turn, bytes=60000)
    return Turn(start, end, stages), consumed, record


def _tell_stage(story: Story, sid: str, turn: str, name: str) -> Stage:
    start = _note_state(story, sid, turn, name, "executing")
    story.wait(1, 6)
    bare = story.rng.random() < _BARE_AI_LINES
    ids = {} if bare else {"session": sid, "turn": turn}
    asked, done = _ASKS[name]
    _say_without_trace(story, f"{name}-service", asked, bare=bare, **ids)
    work(story, name)
    _say_without_trace(story, f"{name}-service", done, bare=bare, processing_ms=400, **ids)
    story.wait(1, 6)
    end = _note_state(story, sid, turn, name, "complete")
    story.add_record(_TOPICS[name], sid, (("session-id", sid), ("stage", name)), 300, session_id=sid)
    text = "Published log to intermediate topic"
    story.say("orchestrator", text, level="debug", session=sid, turn=turn, topic=_TOPICS[name], stage=name)
    return Stage(name, start, end)


def _note_state(story: Story, sid: str, turn: str, name: str, state: str) -> Line:
    return story.say("orchestrator", "Updated service state", session=sid, turn=turn, stage=name, state=state)


def _say_without_trace(story: Story, service: str, text: str, *, bare: bool, **fields: object) -> None:
    """A request whose headers got lost has neither IDs nor a trace."""
    trace, story.trace = story.trace, "" if bare else story.trace
    story.say(service, text, **fields)
    story.trace = trace


def _reply(story: Story, sid: str, turn: str) -> None:
    for kind in ("transcript", "reply_text", "reply_audio"):
        story.say("orchestrator", "BroadcastToSession called", session=sid, turn=turn, message_type=kind)
        socket = story.sends_to(sid, story.pods["orchestrator"])
        if socket is None:
            text = "No WebSocket is bound to the session, reply withheld"
            story.say("orchestrator", text, level="warning", session=sid, turn=turn, message_type=kind)
        else:
            story.say(
                "orchestrator", "WebSocket message sent successfully", session=sid, turn=turn,
                connection=socket.connection, message_type=kind,
            )  # fmt: skip
