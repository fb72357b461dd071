"""What WHIP (RFC 9725) asks of a request, judged without I/O: content type, session ID, offer.

WHIP is one-way (section 4.2): the answer would be recvonly. This server answers a sendrecv offer with
sendrecv and plays the replies of the voice agent on the same connection, which is an extension; a client
that offers sendonly hears nothing. It supports neither Trickle ICE nor ICE restarts: PATCH is 501
(section 4.3.1), and no entity tag is given, because nothing could be asked with it.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from pipeline.wire.identifiers import check_session_id, escape_for_log, mint_session_id
from pipeline.wire.loopback_ice import parse_sdp
from pipeline.wire.refusals import RequestRefusedError

SDP_TYPE = "application/sdp"

# Each is asked whether it answers: an offer must not make this server knock at many doors.
_MOST_CANDIDATES = 50
_PORTS = range(1, 65_536)
# Whoever only listens has nothing to ingest (RFC 9725, section 4.2)
_WITHOUT_AUDIO = ("recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """Under which ID a session runs.

    Attributes:
        from_header: the client brought it; else it was minted here.
        refused: the header's value, escaped, if it was not believed.
        reason: why not.
    """

    session_id: str
    from_header: bool
    refused: str | None = None
    reason: str | None = None


def choose_session_id(header: str | None, live: Container[str]) -> SessionChoice:
    """The ID of a new session; raises `RequestRefusedError` (409) if it is in use on this server."""
    if header is None:
        return SessionChoice(mint_session_id(), from_header=False)
    refusal = check_session_id(header)
    if refusal is not None:
        return SessionChoice(
            mint_session_id(), from_header=False, refused=escape_for_log(header), reason=refusal.reason
        )
    if header in live:
        raise RequestRefusedError(409, "the session is live on this server", header)
    return SessionChoice(header, from_header=True)


def check_content_type(content_type: str) -> None:
    """Raises `RequestRefusedError` (415) for anything but SDP."""
    if content_type != SDP_TYPE:
        raise RequestRefusedError(415, f"the content type is not {SDP_TYPE}")


def check_offer(sdp: str) -> None:
    """Raises `RequestRefusedError` (400) unless `sdp` offers one audio section with Opus."""
    try:
        offer = parse_sdp(sdp)
    except ValueError as error:
        raise RequestRefusedError(400, "the offer is not SDP") from error
    if [media.kind for media in offer.media] != ["audio"]:
        raise RequestRefusedError(400, "the offer does not have exactly one section, of audio")
    audio = offer.media[0]
    if audio.direction in _WITHOUT_AUDIO:
        raise RequestRefusedError(400, "the offer sends no audio")
    if not any(codec.mimeType.lower() == "audio/opus" for codec in audio.rtp.codecs):
        raise RequestRefusedError(400, "the offer is without Opus")
    if audio.ice is None or not (audio.ice.usernameFragment and audio.ice.password):
        raise RequestRefusedError(400, "the offer is without ICE credentials")
    if audio.dtls is None or not audio.dtls.fingerprints:
        raise RequestRefusedError(400, "the offer is without a DTLS fingerprint")
    if len(audio.ice_candidates) > _MOST_CANDIDATES:
        raise RequestRefusedError(400, f"the offer has more than {_MOST_CANDIDATES} candidates")
    if any(candidate.port not in _PORTS for candidate in audio.ice_candidates):
        raise RequestRefusedError(400, "the offer has a candidate without a port")
