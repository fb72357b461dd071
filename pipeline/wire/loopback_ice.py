"""ICE on the loopback interface only, so that no media leaves the machine; in a pod, on the pod's address.

aioice 0.13 gathers every address but 127.0.0.1 and ::1, and has no option for it; the one function
that it asks is replaced here, at import. Import this module instead of building
``RTCPeerConnection`` elsewhere. The offer or answer of the other side is cut to its loopback
candidates as well, and to addresses always: one that is an mDNS name would be looked up by multicast.
"""

from __future__ import annotations

import ipaddress

from aioice import ice
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.sdp import SessionDescription

from pipeline.wire.environment import LOOPBACK, Listen, is_address, is_loopback

_CANDIDATE = "a=candidate:"
# candidate:<foundation> <component> <transport> <priority> <address> <port> typ ... (RFC 8839, 5.1)
_ADDRESS_FIELD = 4


_gather_all = ice.get_host_addresses


def _loopback_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: ARG001 - aioice's signature
    return [LOOPBACK] if use_ipv4 else []


ice.get_host_addresses = _loopback_addresses


def gather_where(listen: Listen) -> None:
    """Have media come in where HTTP does: on the host of `listen`, on every interface if it names none.

    The setting is for all connections of the process. On one machine it changes nothing, whatever
    `listen` allows: who listens on the loopback interface gathers there.
    """
    if is_loopback(listen.host):
        ice.get_host_addresses = _loopback_addresses
    elif ipaddress.ip_address(listen.host).is_unspecified:
        ice.get_host_addresses = _gather_all
    else:
        ice.get_host_addresses = lambda use_ipv4, use_ipv6: [listen.host]  # noqa: ARG005 - as above


def expire_consent_after(seconds: float) -> None:
    """Give a peer up that has not answered for about `seconds` (RFC 7675 names 30).

    aioice asks in intervals, which it stretches by up to a fifth, and has no option for either; the
    setting is for all connections of the process.
    """
    vars(ice)["CONSENT_INTERVAL"] = seconds / ice.CONSENT_FAILURES


def consent_s() -> float:
    """After how long without an answer a peer is given up."""
    return float(ice.CONSENT_INTERVAL * ice.CONSENT_FAILURES)


def has_lost_consent(peer: RTCPeerConnection) -> bool:
    """Whether a connection that is closed was given up by ICE, and not by a word of the other side.

    aioice 0.13 forgets its consent task when that gives up, and only then; nothing public tells it.
    """
    transports = {transceiver.receiver.transport.transport for transceiver in peer.getTransceivers()}
    return any(one._connection._query_consent_task is None for one in transports)  # noqa: SLF001


def new_peer_connection() -> RTCPeerConnection:
    """A peer connection that uses no server: without `iceServers` aiortc would ask a public one."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def parse_sdp(sdp: str) -> SessionDescription:
    """The description in `sdp`; raises `ValueError`.

    The parser of aiortc 1.16 checks little: what is malformed ends in one of many errors.
    """
    try:
        return SessionDescription.parse(sdp)
    except (ValueError, LookupError, AssertionError, AttributeError, TypeError, StopIteration) as error:
        raise ValueError("it is not SDP") from error


def keep_reachable_candidates(sdp: str) -> str:
    """`sdp` without the candidates that are not to be tried: names, and what is not where we gather."""
    return "".join(line for line in sdp.splitlines(keepends=True) if not _is_foreign(line))


def has_candidate(sdp: str) -> bool:
    """Whether `sdp` offers any way to be reached. Without one ICE neither connects nor fails."""
    return any(line.startswith(_CANDIDATE) for line in sdp.splitlines())


def _is_foreign(line: str) -> bool:
    if not line.startswith(_CANDIDATE):
        return False
    fields = line.split()
    if len(fields) <= _ADDRESS_FIELD:
        return True
    on_loopback = ice.get_host_addresses is _loopback_addresses
    return not (is_loopback if on_loopback else is_address)(fields[_ADDRESS_FIELD])
