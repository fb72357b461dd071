"""Where a session was seen: the matrix of IDs and facets that tells its halves apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from diag.model.events import Event
from diag.model.records import SESSION_ROLES
from diag.model.session import Session
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

HEARD = frozenset({LISTEN, PUBLISH, CONSUME, TURN, WS_AUDIO})
"""Any of these shows that the media server listened, or had no need to."""

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
    "turn.start": (TURN,),
    "stage": (TURN,),
    # a delivery proves that a socket was bound to the session, whether its line was read or not
    "bcast.delivered": (DELIVER, BIND),
    "reply.played": (PLAYED,),
}
_TOLD_BY_FIELDS: Mapping[str, Callable[[Event], tuple[str, ...]]] = {
    "media.listen": lambda event: (LISTEN,) if is_listening(event) else (),
    "turn.audio_data": lambda event: (WS_AUDIO,) if is_final_audio(event) else (),
    "turn.trigger": lambda event: (WS_AUDIO,) if event.value("path") == "ws" else (TURN,),
}


def facets_of(event: Event) -> tuple[str, ...]:
    """The facets that an event shows, most often none or one."""
    ask = _TOLD_BY_FIELDS.get(event.name)
    return _FACETS.get(event.name, ()) if ask is None else ask(event)


Presence = Mapping[str, frozenset[str]]
"""Session ID -> its facets."""


def media_never_came(session: Session) -> bool:
    """Whether its media server tells of the caller's connection, and not that it ever stood."""
    failed = session.named("ice.failed")
    # a server that writes its connection's states would have written that it connected
    told = failed or (session.named("whip.established") and session.named("ice.state"))
    # a client may switch listening on before media is there; without a failure it shows that media was
    came = tuple(name for name in MEDIA_CAME if not (failed and name == "media.listen"))
    return bool(told) and not session.named(*came)


def build_presence(events: Iterable[Event]) -> Presence:
    """Session ID -> its facets, sorted by ID."""
    shown = {(event.entry.ids, facets) for event in events if (facets := facets_of(event))}
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for ids, facets in shown:
        for text in ids.in_roles[SESSION_ROLES]:
            seen[text].update(facets)
    return {text: frozenset(seen[text]) for text in sorted(seen)}
