"""Where a session was seen: the matrix of IDs and facets that tells its halves apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from diag.model.session import Event
from diag.session.events import is_final_audio, is_listening

NAMED = "named"  # a WHIP request took or got the ID; with broken SDP nothing follows
WHIP = "whip"
LISTEN = "listen"
PUBLISH = "publish"
BIND = "ws.bind"
WS_AUDIO = "ws.audio"  # audio came over the socket: such a session has no media half
CONSUME = "consume"
TURN = "turn"
DELIVER = "deliver"

MEDIA_FACETS = frozenset({WHIP, LISTEN, PUBLISH})
ORCHESTRATOR_FACETS = frozenset({BIND, CONSUME, TURN, DELIVER})

MEDIA_CAME = ("ice.connected", "media.track", "media.publish", "media.listen", "speech.start", "speech.end")
"""Any of these shows that the caller's media arrived."""

SESSION_ROLES = ("session", "media", "frontend")

_FACETS = {
    "whip.session": NAMED,
    "whip.established": WHIP,
    "ice.connected": WHIP,
    "media.track": WHIP,
    "media.publish": PUBLISH,
    "ws.bind": BIND,
    "kafka.consume": CONSUME,
    "kafka.buffer": CONSUME,
    "audio.session": CONSUME,
    "turn.trigger": TURN,
    "turn.start": TURN,
    "stage": TURN,
    "bcast.delivered": DELIVER,
    "reply.played": DELIVER,
}


def facet_of(event: Event) -> str:
    """The facet that an event shows, empty if none."""
    if event.name == "media.listen":
        return LISTEN if is_listening(event) else ""
    if event.name == "turn.audio_data":
        return WS_AUDIO if is_final_audio(event) else ""
    if event.name == "turn.trigger" and event.value("path") == "ws":
        return WS_AUDIO
    return _FACETS.get(event.name, "")


def build_presence(events: Iterable[Event]) -> Mapping[str, frozenset[str]]:
    """Session ID -> its facets, sorted by ID."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        facet = facet_of(event)
        for text in event.entry.ids_in(*SESSION_ROLES) if facet else ():
            seen[text].add(facet)
    return {text: frozenset(seen[text]) for text in sorted(seen)}
