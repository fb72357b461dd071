"""The media server's part: WHIP, ICE, listening, audio to Kafka, the end. Texts by hand from the reference."""

from __future__ import annotations

from tests.accuracy.story import Story
from tests.accuracy.truth import LOST_TEXTS, NS_PER_S, Line, Record

_CANDIDATE = "candidate:1 1 udp 2130706431 10.8.1.7 {port} typ host"


def open_media(story: Story, *, minted: bool = False, refused: str = "") -> Line:
    """A WHIP request up to flowing audio; the line that tells which ID was taken."""
    sid = story.media
    story.say("media-server", "Received WHIP request", traced=True)
    if minted:
        reason = {"refused": refused, "reason": "not a session ID"} if refused else {}
        named = story.say("media-server", "Generated new session ID", session=sid, traced=True, **reason)
    else:
        named = story.say("media-server", "Using session ID from header", session=sid, traced=True)
    if not story.fixed:
        _negotiate(story, sid)
    story.wait(5, 60)
    story.say("media-server", "Connection state changed", session=sid, state="connecting")
    story.wait(20, 200)
    text = "WHIP connection established with ICE candidates"
    story.say("media-server", text, session=sid, traced=True)
    story.wait(50, 400)
    story.say("media-server", "Connection state changed", session=sid, state="connected")
    story.say("media-server", "Connection established successfully - audio should flow", session=sid)
    story.say("media-server", "Received remote track", session=sid, kind="audio")
    if not story.fixed:
        story.say("media-server", "Starting AI audio processing with VAD and filtering", session=sid)
        story.say("media-server", "Audio processing started with VAD and filtering")
    story.say("media-server", "Starting audio consumer", session=sid)
    return named


def _negotiate(story: Story, sid: str) -> None:
    text = "Connection establishing - ICE negotiation in progress"
    story.say("media-server", text, session=sid)
    for _ in range(story.rng.randint(1, 2)):
        candidate = _CANDIDATE.format(port=story.rng.randint(30000, 60000))
        story.say("media-server", "ICE candidate generated", session=sid, candidate=candidate)
    story.say("media-server", "Waiting for ICE gathering to complete...", session=sid)
    story.say("media-server", "ICE gathering completed", session=sid)


def listen(story: Story) -> Line | None:
    """``/listening/start`` with the ID that the client has; a wrong one is an error that names it in text."""
    story.wait(100, 900)
    if story.listen and story.listen == story.media:
        return story.say(
            "media-server", "Listening state updated", session=story.listen, isListening=True, traced=True
        )
    if not story.listen:
        return None  # 400 Session ID is required: the service writes no line
    error = f"connection not found for session: {story.listen}"
    line = story.say("media-server", "Failed to start listening", level="error", error=error, traced=True)
    line.links = tuple(one for one in (story.trace, story.listen) if one and one not in LOST_TEXTS)
    story.own(story.listen)
    return line


def stop_listening(story: Story) -> None:
    """``/listening/stop``."""
    if story.listen == story.media:
        story.say("media-server", "Listening state updated", session=story.media, isListening=False)


def publish(story: Story, utterance: int = 0) -> tuple[Record, Line]:
    """One packet (or, in the fixed profile, one utterance) goes to ``audio-in`` under the session's key."""
    sid, size = story.media, story.rng.randint(60, 100)
    header = (("session-id", sid), ("timestamp", str(story.pods["media-server"].clock(story.now))))
    story.own(story.key)
    record = story.add_record("audio-in", story.key, header, size)
    story.wait(4, 9)
    if story.fixed:
        line = story.say(
            "media-server", "Audio published to Kafka successfully", session=sid,
            utterance=utterance, records=1, bytes=size * 50, topic="audio-in", partition=record.partition,
            first_offset=record, last_offset=record,
        )  # fmt: skip
    else:
        line = story.say(
            "media-server", "Audio published to Kafka successfully", session=sid,
            packetSize=size, energy=round(story.rng.uniform(0.55, 0.6), 4),
        )  # fmt: skip
    return record, line


def consume(story: Story, record: Record, sid: str, utterance: int = 0) -> Line:
    """The orchestrator takes a record; it knows the session by the record's key alone, if it reads it."""
    story.now = max(story.now, record.true_ns + story.rng.randint(1_000_000, 30_000_000))
    if story.fixed:
        return story.say(
            "orchestrator", "Processing audio session", session=sid, utterance=utterance,
            topic="audio-in", partition=record.partition, offset=record,
        )  # fmt: skip
    line = story.say("orchestrator", "Processing audio session", session=sid)
    if story.session.era != "A":
        story.say("orchestrator", "Invalid session ID format, using as-is", level="warning", session=sid)
        story.say(
            "orchestrator", "Added audio to session buffer", level="debug", session=sid,
            bufferSize=record.size * 7, completeMode=True,
        )  # fmt: skip
    return line


def close_media(story: Story) -> None:
    """The client goes."""
    sid = story.media
    story.wait(100, 6000)
    text = "Connection disconnected - ICE connectivity lost"
    story.say("media-server", text, level="warning", session=sid)
    story.say("media-server", "Remote track closed (EOF)", session=sid)
    if not story.fixed:
        story.say("media-server", "Audio processing stopped", totalPackets=75, duration="12.1s")
        text = "AI audio processing stopped with filtering"
        story.say("media-server", text, session=sid, totalPackets=75, activePackets=75)
    story.say("media-server", "Connection cleaned up", session=sid)
    story.say("media-server", "Connection closed", session=sid)
    story.now += NS_PER_S // 100
