"""Where a session was seen: the matrix of IDs and facets that tells its halves apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from diag.model.events import Event
from diag.model.records import SESSION_ROLES
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
PLAYED = "played"
REFUSED = "ws.refused"  # a socket named the session in a message that nobody read
GRPC = "grpc"

MEDIA_HALF = frozenset({WHIP, PUBLISH})
WORK_HALF = frozenset({CONSUME, TURN})
MEDIA_FACETS = frozenset({WHIP, LISTEN, PUBLISH, PLAYED})
ORCHESTRATOR_FACETS = frozenset({BIND, CONSUME, TURN, DELIVER, REFUSED, GRPC})

MEDIA_CAME = ("ice.connected", "media.track", "media.publish", "media.listen", "speech.start", "speech.end")
"""Any of these shows that the caller's media arrived."""

_FACETS = {
    "whip.session": (NAMED,),
    "whip.established": (WHIP,),
    "ice.connected": (WHIP,),
    "media.track": (WHIP,),
    # a connection that is read from, lost or cleared away was there, whether its beginning was read or not
    "kafka.reader_start": (WHIP,),
    "ice.lost": (WHIP,),
    "media.end": (WHIP,),
    "media.closed": (WHIP,),
    "media.cleanup": (WHIP,),
    "media.publish": (PUBLISH,),
    "ws.bind": (BIND,),
    "ws.refused": (REFUSED,),
    "grpc.session": (GRPC,),
    "kafka.consume": (CONSUME,),
    "kafka.buffer": (CONSUME,),
    "audio.session": (CONSUME,),
    "turn.trigger": (TURN,),
    "turn.start": (TURN,),
    "stage": (TURN,),
    # a delivery proves that a socket was bound to the session, whether its line was read or not
    "bcast.delivered": (DELIVER, BIND),
    "reply.played": (PLAYED,),
}
_SHOWING = frozenset({*_FACETS, "media.listen", "turn.audio_data", "turn.trigger"})
"""The events that may show a facet: few of a session's lines do."""


def facets_of(event: Event) -> tuple[str, ...]:
    """The facets that an event shows, most often none or one."""
    match event.name:
        case "media.listen":
            return (LISTEN,) if is_listening(event) else ()
        case "turn.audio_data":
            return (WS_AUDIO,) if is_final_audio(event) else ()
        case "turn.trigger" if event.value("path") == "ws":
            return (WS_AUDIO,)
        case name:
            return _FACETS.get(name, ())


Presence = Mapping[str, frozenset[str]]
"""Session ID -> its facets."""


def build_presence(events: Iterable[Event]) -> Presence:
    """Session ID -> its facets, sorted by ID."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        facets = facets_of(event) if event.name in _SHOWING else ()
        for text in event.entry.ids_in(*SESSION_ROLES) if facets else ():
            seen[text].update(facets)
    return {text: frozenset(seen[text]) for text in sorted(seen)}
