"""ICE stays on this machine, whatever either side would like."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aioice import ice
from aiortc import RTCPeerConnection

from pipeline.wire.audio_tracks import PacedTrack
from pipeline.wire.environment import Listen
from pipeline.wire.loopback_ice import (
    gather_where,
    has_candidate,
    keep_reachable_candidates,
    new_peer_connection,
    parse_sdp,
)

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
    assert keep_reachable_candidates(_SDP).splitlines() == [
        "v=0",
        "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host",
        "a=end-of-candidates",
    ]


@pytest.fixture
def _gathered_as_before() -> Iterator[None]:
    """What a test sets is for the whole process."""
    yield
    gather_where(Listen("127.0.0.1", 0))


@pytest.mark.usefixtures("_gathered_as_before")
def test_in_a_pod_media_comes_in_on_the_pods_address() -> None:
    """As HTTP does; of the other side addresses are tried, and never names."""
    gather_where(Listen("10.244.0.7", 8080, beyond_loopback=True))

    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["10.244.0.7"]
    assert [line[:13] for line in keep_reachable_candidates(_SDP).splitlines()] == [
        "v=0",
        "a=candidate:1",
        "a=candidate:2",
        "a=end-of-cand",
    ]


@pytest.mark.usefixtures("_gathered_as_before")
def test_who_listens_on_loopback_gathers_there_whatever_is_allowed() -> None:
    """The local cluster's pods have the manifests' settings, and addresses of 127.0.0.0/8."""
    gather_where(Listen("127.244.0.7", 8080, beyond_loopback=True))

    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]
    assert "192.0.2.7" not in keep_reachable_candidates(_SDP)


def test_a_description_without_candidates_is_noticed() -> None:
    """ICE itself would wait for ever."""
    assert not has_candidate("v=0\r\na=end-of-candidates\r\n")


@pytest.mark.parametrize("text", ["m=audio", "m=audio x y z", "v=0\r\nm=audio 9 x 0\r\na=rtpmap:x\r\n"])
def test_what_is_no_sdp_is_one_error(text: str) -> None:
    """The parser has many."""
    with pytest.raises(ValueError, match="it is not SDP"):
        parse_sdp(text)
