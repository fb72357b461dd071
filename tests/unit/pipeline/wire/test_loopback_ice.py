"""ICE stays on this machine, whatever either side would like."""

from __future__ import annotations

import pytest
from aiortc import RTCPeerConnection

from pipeline.wire.audio_tracks import PacedTrack
from pipeline.wire.loopback_ice import has_candidate, keep_loopback_candidates, new_peer_connection, parse_sdp

_SDP = (
    "v=0\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n"
    "a=candidate:2 1 udp 2130706431 192.0.2.7 50000 typ host\r\n"
    "a=candidate:3 1 udp 2130706431 3f1c.local 50000 typ host\r\n"
    "a=candidate:4\r\n"
    "a=end-of-candidates\r\n"
)


async def _gather(peer: RTCPeerConnection) -> str:
    track = PacedTrack()
    peer.addTrack(track)
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    track.stop()
    await peer.close()
    return sdp


async def test_only_the_loopback_address_is_gathered() -> None:
    """One candidate, of 127.0.0.1; no server is asked."""
    sdp = await _gather(new_peer_connection())
    candidates = [line.split()[4] for line in sdp.splitlines() if line.startswith("a=candidate:")]

    assert candidates == ["127.0.0.1"]
    assert has_candidate(sdp)


def test_foreign_candidates_are_cut_out() -> None:
    """Other interfaces, names, and what is no candidate; the rest stays as it was."""
    assert keep_loopback_candidates(_SDP).splitlines() == [
        "v=0",
        "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host",
        "a=end-of-candidates",
    ]


def test_a_description_without_candidates_is_noticed() -> None:
    """ICE itself would wait for ever."""
    assert not has_candidate("v=0\r\na=end-of-candidates\r\n")


@pytest.mark.parametrize("text", ["m=audio", "m=audio x y z", "v=0\r\nm=audio 9 x 0\r\na=rtpmap:x\r\n"])
def test_what_is_no_sdp_is_one_error(text: str) -> None:
    """The parser has many."""
    with pytest.raises(ValueError, match="it is not SDP"):
        parse_sdp(text)
