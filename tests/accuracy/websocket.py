"""The WebSocket's part: opening, binding, what goes wrong with session_info, closing."""

from __future__ import annotations

import json

from tests.accuracy.identifiers import mint_fallback
from tests.accuracy.story import Story
from tests.accuracy.truth import Line


def open_socket(story: Story) -> None:
    """Connect, and the greeting that the era gives."""
    socket = story.connect()
    if story.session.era == "C":
        _parse(story, "greeting_request", "")
        story.wait(150, 700)
        story.say("orchestrator", "Sent greeting audio successfully", connection=socket.connection)
    elif story.session.era == "B":
        story.say("orchestrator", "Sent greeting message", connection=socket.connection)


def announce(story: Story) -> Line:
    """``session_info`` with the ID that the client has for its socket."""
    assert story.open_socket is not None
    if story.session.era == "C":
        _parse(story, "session_info", story.socket)
    story.bind(story.socket)
    line = story.say(
        "orchestrator", "Received session info from frontend", session=story.socket,
        connection=story.open_socket.connection, traced=True,
    )  # fmt: skip
    if story.session.era in "BC" and story.socket:
        text = "Created new pipeline session"
        story.say("orchestrator", text, session=story.socket, state="idle")
    return line


def announce_nothing(story: Story) -> Line:
    """``start_listening`` without an ID: the orchestrator mints one without a random part."""
    assert story.open_socket is not None
    era, pod = story.session.era, story.pods["orchestrator"]
    if era == "C":
        _parse(story, "start_listening", "")
    story.socket = mint_fallback(pod.clock(story.now))
    text = {
        "C": "Start listening event received - Processing pipeline initialization",
        "B": "Start listening event received",
    }.get(era, "Received session info from frontend")
    story.bind(story.socket)
    connection = story.open_socket.connection
    return story.say("orchestrator", text, session=story.socket, connection=connection, traced=True)


def announce_unread(story: Story) -> Line:
    """``session_info`` as ``type`` instead of ``event``: it is sent, and nobody reads it."""
    assert story.open_socket is not None
    connection = story.open_socket.connection
    if story.fixed:
        return story.say(
            "orchestrator", "WebSocket message not understood", level="warning", session=story.socket,
            connection=connection, error="unknown event", event="",
        )  # fmt: skip
    return story.say(
        "orchestrator", "Received unhandled event type", level="warning", connection=connection,
        session=None if story.session.era == "B" else story.socket, event="", traced=True,
    )  # fmt: skip


def start_listening(story: Story) -> None:
    """The pipeline is made ready under the socket's ID."""
    assert story.open_socket is not None
    era = story.session.era
    if era in "BC" and story.socket:
        connection = story.open_socket.connection
        text = "Start listening event received"
        if era == "C":
            _parse(story, "start_listening", story.socket)
            text += " - Processing pipeline initialization"
        story.say("orchestrator", text, session=story.socket, connection=connection)
        story.say("orchestrator", "Updated pipeline state", session=story.socket, state="listening")
        story.say("orchestrator", "Started listening", session=story.socket)


def close_socket(story: Story) -> None:
    """The client closes, or vanishes."""
    socket = story.open_socket
    if socket is None:
        return
    socket.closed_ns = story.now
    said = {"code": 1000, "session": story.socket} if story.fixed and story.socket else {}
    story.say("orchestrator", "WebSocket client disconnected", connection=socket.connection, **said)
    story.open_socket = None


def _parse(story: Story, event: str, sid: str) -> None:
    """Era C writes each message raw and parsed."""
    assert story.open_socket is not None
    connection = story.open_socket.connection
    raw = json.dumps({"event": event, "session_id": sid} if sid else {"event": event})
    line = story.say(
        "orchestrator", "Raw WebSocket message received", connection=connection,
        rawMessage=raw, messageLength=len(raw),
    )  # fmt: skip
    if sid.startswith(("session_", "test_", "direct_", "long_", "audio_", "analysis_")):
        line.links = (connection, sid)
        story.own(sid)
    text = "Parsed WebSocket message"
    story.say("orchestrator", text, connection=connection, session=sid, event=event)
