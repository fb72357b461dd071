"""Replies to sockets: the call, the delivery, and the sockets of others that a broadcast looks at."""

from __future__ import annotations

from tests.accuracy.cluster import Cluster
from tests.accuracy.story import Story
from tests.accuracy.truth import Line, Pod

_OTHERS_LOGGED = 2


def broadcast(story: Story, sid: str) -> None:
    """A message to the socket that stands for `sid` on this pod; eras B and C."""
    pod = story.pods["orchestrator"]
    if story.session.era == "C":
        story.say(
            "orchestrator", "BroadcastToSession called", session=sid, messageType="map[string]interface {}"
        )
        story.later.append(("broadcast", story.now, pod, sid))
        story.now += 400_000
    socket = story.sends_to(sid, pod)
    if socket is not None:
        story.say(
            "orchestrator", "WebSocket message sent successfully", session=sid, connection=socket.connection,
            level="info" if story.session.era == "C" else "debug",
        )  # fmt: skip


def deliver(story: Story, sid: str, pod: Pod, kind: str) -> None:
    """Era A's way: by the mapped ID, each stored socket logged with whether it matched."""
    story.say("orchestrator", "Broadcasting WebSocket message", session=sid, type=kind)
    socket = story.sends_to(sid, pod)
    if socket is None:
        return
    check = story.say(
        "orchestrator", "Checking WebSocket connection", level="debug", connectionKey=socket.connection,
        storedSession=sid, messageSession=sid, match=True,
    )  # fmt: skip
    check.links = (socket.connection, sid)
    story.say("orchestrator", "WebSocket message sent successfully", session=sid, type=kind)


def others_at(cluster: Cluster, true_ns: int, pod: Pod, sid: str) -> list[tuple[str, str]]:
    """Sockets of other sessions that were open on the pod: connection and what is stored for it."""
    return [
        (socket.connection, socket.bound_at(true_ns))
        for socket in cluster.sockets.get(pod.name, ())
        if socket.is_open(true_ns) and socket.bound_at(true_ns) != sid
    ][:_OTHERS_LOGGED]


def look_at_others(story: Story) -> None:
    """Era C's debug lines of every broadcast: the IDs of strangers, which join nothing."""
    for kind, true_ns, pod, sid in story.later:
        if kind != "broadcast":
            continue
        for place, (connection, stored) in enumerate(others_at(story.cluster, true_ns, pod, sid)):
            story.now = true_ns + 20_000 * (place + 1)
            _note_stranger(story, pod, sid, connection, stored).links = ()


def _note_stranger(story: Story, pod: Pod, sid: str, connection: str, stored: str) -> Line:
    owned = set(story.session.ids)
    if stored:
        line = story.say(
            pod, "Session ID mismatch", level="debug", session=sid, connection=connection, storedSessionID=stored
        )  # fmt: skip
    else:
        text = "No session mapping found for connection"
        line = story.say(pod, text, level="debug", session=sid, connection=connection)
    story.session.ids = owned
    return line
