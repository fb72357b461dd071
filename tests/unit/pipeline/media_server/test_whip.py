"""WHIP's rules, without a connection."""

from __future__ import annotations

import pytest
from aiortc.sdp import SessionDescription

from pipeline.media_server.whip import check_content_type, check_offer, choose_session_id
from pipeline.wire.audio_tracks import PacedTrack
from pipeline.wire.identifiers import check_session_id, mint_session_id
from pipeline.wire.loopback_ice import new_peer_connection
from pipeline.wire.refusals import RequestRefusedError


@pytest.fixture
async def offer() -> str:
    """An offer of one audio track."""
    peer, track = new_peer_connection(), PacedTrack()
    peer.addTrack(track)
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    track.stop()
    await peer.close()
    return sdp


def test_a_client_may_bring_its_id() -> None:
    """If it is well-formed."""
    session_id = mint_session_id()
    choice = choose_session_id(session_id, ())

    assert (choice.session_id, choice.from_header, choice.refused) == (session_id, True, None)


def test_without_an_id_one_is_minted_silently() -> None:
    """There is nothing to refuse."""
    choice = choose_session_id(None, ())

    assert check_session_id(choice.session_id) is None
    assert (choice.from_header, choice.refused, choice.reason) == (False, None, None)


@pytest.mark.parametrize("header", ["undefined", "", "null", "session_1_x", "x" * 500, "\udcff\x01"])
def test_an_id_that_is_not_believed_is_replaced_and_told(header: str) -> None:
    """What was refused, fit for the log, and why."""
    choice = choose_session_id(header, ())

    assert check_session_id(choice.session_id) is None
    assert choice.refused is not None
    assert len(choice.refused) <= 80
    assert choice.refused.isprintable()
    assert choice.reason


def test_an_id_in_use_is_a_conflict() -> None:
    """A second connection must not take the first one's place."""
    session_id = mint_session_id()

    with pytest.raises(RequestRefusedError) as refused:
        choose_session_id(session_id, {session_id})
    assert (refused.value.status, refused.value.session_id) == (409, session_id)


def test_only_sdp_is_taken() -> None:
    """Anything else is 415."""
    check_content_type("application/sdp")
    with pytest.raises(RequestRefusedError) as refused:
        check_content_type("application/json")
    assert refused.value.status == 415


async def test_a_good_offer_passes(offer: str) -> None:
    """One section of audio with Opus, ICE and DTLS."""
    check_offer(offer)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=audio", "m=video"),
        ("opus/48000", "speex/48000"),
        ("a=ice-ufrag", "a=x-ufrag"),
        ("a=fingerprint", "a=x-fingerprint"),
        ("a=rtpmap:", "a=rtpmap:x"),
        ("c=IN", "c="),
        ("a=sendrecv", "a=recvonly"),
        ("a=sendrecv", "a=inactive"),
    ],
)
async def test_an_offer_that_cannot_work_is_400(offer: str, old: str, new: str) -> None:
    """Other media, no Opus, no credentials, no fingerprint, broken lines, nothing that is sent."""
    assert old in offer
    with pytest.raises(RequestRefusedError) as refused:
        check_offer(offer.replace(old, new))
    assert refused.value.status == 400


async def test_a_caller_may_do_without_a_voice_for_the_reply(offer: str) -> None:
    """As WHIP has it: sendonly."""
    check_offer(offer.replace("a=sendrecv", "a=sendonly"))


@pytest.mark.parametrize(
    "text", ["", "hello", "v=0", "v=0\r\nm=audio", "m=audio 9 UDP/TLS/RTP/SAVPF\r\n", "{}"]
)
def test_what_is_no_sdp_is_400(text: str) -> None:
    """The parser's many errors are one refusal."""
    with pytest.raises(RequestRefusedError) as refused:
        check_offer(text)
    assert refused.value.status == 400


async def test_every_cut_of_an_offer_has_an_answer(offer: str) -> None:
    """Wherever an offer is cut off, it is taken or refused, and nothing else happens."""
    lines = offer.splitlines(keepends=True)
    for length in range(len(lines)):
        text = "".join(lines[:length])
        try:
            check_offer(text)
        except RequestRefusedError:
            continue
        assert SessionDescription.parse(text).media
