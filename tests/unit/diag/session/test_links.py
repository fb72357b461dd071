"""Which IDs belong together."""

from __future__ import annotations

import pytest

from diag.catalogue import load_catalogue
from diag.model.records import KafkaRecord
from diag.normalise import join_frames, to_frame
from diag.session.identity.links import MOST_IDS, Closure, close_over, is_hub
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, read_case, to_records

S, B, W, T = (DEFAULTS[name] for name in "SBWT")

MISMATCH = """
00:00.001 media-server  info Using session ID from header :: sessionID=$S trace=$T
00:00.220 media-server  info WHIP connection established with ICE candidates :: sessionID=$S trace=$T
00:00.600 orchestrator  info WebSocket client connected :: connID=$W
00:00.700 orchestrator  info Received session info from frontend :: connID=$W sessionID=$B trace=$T
"""


def finder(text: str) -> EventFinder:
    frame = join_frames([to_frame(to_records(read_case(text).entries), load_catalogue())])
    return EventFinder(frame, load_catalogue())


def closed(text: str, asked: str, records: tuple[KafkaRecord, ...] = ()) -> Closure:
    return close_over(asked, finder(text), records)


@pytest.mark.parametrize("asked", [S, B, W, T])
def test_the_graph_is_the_same_whichever_id_is_asked_for(asked: str) -> None:
    """Chief, members, rules and scores do not depend on the question."""
    found = closed(MISMATCH, asked)

    assert found == closed(MISMATCH, S)
    assert found.chief == S
    assert found.members == {S, B, W, T}
    assert found.joined[B][0].rule == "trace"
    assert found.joined[B][1] == 92


def test_a_line_about_another_clients_socket_links_nothing() -> None:
    """``Session ID mismatch`` names a socket just because it is another's."""
    text = """
    00:01.001 orchestrator  debug Session ID mismatch :: sessionID=$S storedSessionID=$B connID=$W
    00:01.002 orchestrator  debug No session mapping found for connection :: sessionID=$S connID=$W
    00:01.003 orchestrator  debug Checking WebSocket connection :: connectionKey=$W storedSession=$B messageSession=$S
    """

    assert closed(text, S).members == {S}


def test_a_guessed_mapping_is_a_candidate_and_never_merged() -> None:
    """The newest socket won; that proves nothing."""
    text = """
    00:01.000 orchestrator info Created session mapping from WebSocket connection :: mediaSessionID=$S frontendSessionID=$B
    """
    found = closed(text, S)

    assert found.members == {S}
    assert list(found.candidates) == [B]


def test_a_lost_id_joins_nothing() -> None:
    """Every client that lost its ID would be one session."""
    text = """
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=undefined
    00:00.800 orchestrator info Received session info from frontend :: connID=$X sessionID=undefined
    """

    assert closed(text, W).members == {W}
    assert is_hub("undefined", finder(text))


def test_a_connection_that_carried_two_whole_sessions_joins_neither() -> None:
    """One call after the other on one socket."""
    text = """
    00:00.001 media-server info WHIP connection established with ICE candidates :: sessionID=$S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S
    09:00.001 media-server info WHIP connection established with ICE candidates :: sessionID=$B
    09:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$B
    """

    assert closed(text, S).members == {S}
    assert closed(text, S).hubs == {W}
    assert is_hub(W, finder(text))


def test_a_record_that_contradicts_itself_links_its_ids() -> None:
    """Key and header name two sessions: one of them is a client's other ID."""
    record = KafkaRecord("audio-in", 0, 7, 1, S, (("session-id", B),))
    found = closed("00:00.001 media-server info Using session ID from header :: sessionID=$S", S, (record,))

    assert found.members == {S, B}
    assert found.joined[B][0].evidence.ref == "audio-in/0@7"


def test_a_key_beside_many_sessions_links_none_of_them() -> None:
    """A topic keyed by the pod that wrote is no proof that its callers are one."""
    ids = [S, B, "session_1753615601001_aaaa", "session_1753615601002_bbbb"]
    records = tuple(
        KafkaRecord("audio-in", 0, n, 1, "pod-1", (("session-id", x),)) for n, x in enumerate(ids)
    )
    line = "00:00.001 media-server info Using session ID from header :: sessionID=$S"

    assert closed(line, S, records).members == {S}
    assert closed(line, S, records[:1]).members == {S, "pod-1"}


def test_an_id_shared_by_a_thousand_sessions_costs_no_more_than_a_few() -> None:
    """A hostile trace must not pull a whole window together."""
    lines = [
        f"00:00.001 media-server info Using session ID from header :: sessionID=session_1753615601{n:03d}_aaaa trace=$T"
        for n in range(1000)
    ]
    found = closed("\n".join(lines), "session_1753615601007_aaaa")

    assert found.members == {"session_1753615601007_aaaa"}
    assert T in found.hubs
    assert MOST_IDS < 1000


def test_events_of_a_session_keep_the_order_of_time_and_reading() -> None:
    """Ties stay in the order in which they were read."""
    events = finder(MISMATCH).mentioning(frozenset({S, B, W}))

    assert [event.time_ns for event in events] == sorted(event.time_ns for event in events)


def test_a_guess_that_is_found_again_is_still_a_guess() -> None:
    """The reference orchestrator stores its guess and calls it an existing mapping the next time."""
    text = """
    # M = session_1753615601380040_5cc15fe6
    00:00.001 media-server info Using session ID from header :: sessionID=$S
    00:00.220 media-server info WHIP connection established with ICE candidates :: sessionID=$S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S
    00:03.220 media-server info WHIP connection established with ICE candidates :: sessionID=$M
    00:05.001 orchestrator info Created session mapping from WebSocket connection :: mediaSessionID=$M frontendSessionID=$S
    00:09.001 orchestrator info Found existing session mapping :: mediaSessionID=$M frontendSessionID=$S
    """

    assert closed(text, S).members == {S, W}
    assert list(closed(text, S).candidates) == ["session_1753615601380040_5cc15fe6"]


@pytest.mark.parametrize("asked", [S, B])
def test_a_guess_between_the_only_two_halves_joins(asked: str) -> None:
    """Media without a socket, a socket without media, and nobody else: it can be no other."""
    text = """
    00:00.220 media-server info WHIP connection established with ICE candidates :: sessionID=$S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$B
    00:05.001 orchestrator info Created session mapping from WebSocket connection :: mediaSessionID=$S frontendSessionID=$B
    """

    assert closed(text, asked).members == {S, B, W}
    assert closed(text, asked).joined[B][0].rule == "guessed mapping"


def test_callers_with_a_socket_and_audio_of_their_own_are_not_one() -> None:
    """A trace that a test runner opened over two calls is shared, also where no WHIP shows that."""
    text = """
    00:00.600 orchestrator info Received session info from frontend :: connID=$W sessionID=$S trace=$T
    00:00.900 orchestrator info Received session info from frontend :: connID=$X sessionID=$B trace=$T
    00:03.000 orchestrator info Received audio_data event from frontend :: connID=$W sessionID=$S isFinal=true
    00:03.200 orchestrator info Received audio_data event from frontend :: connID=$X sessionID=$B isFinal=true
    """

    assert closed(text, S).members == {S, W}
    assert T in closed(text, S).hubs


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ("session_1753615601372_cz4", "truncated"),
        ("session_1753615601372_CZ4GW0FL5", "re-cased"),
        ("session%5F1753615601372%5Fcz4gw0fl5", "URL-encoded"),
        ("session_1753615601372000_cz4gw0fl5", "unit changed"),
    ],
)
def test_two_writings_of_one_id_are_one(other: str, rule: str) -> None:
    """No line names both; the instant and the random part do not agree by chance."""
    text = f"""
    00:00.220 media-server info WHIP connection established with ICE candidates :: sessionID=$S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID={other}
    """

    assert closed(text, S).joined[other][0].rule == rule
    assert closed(text, other).members == closed(text, S).members


@pytest.mark.parametrize(
    "other", ["session_1753615601372_c", "session_1753615601372", "session_1753615601372_x"]
)
def test_callers_of_one_millisecond_are_two(other: str) -> None:
    """A shared instant is no shared ID."""
    text = f"""
    00:00.220 media-server info WHIP connection established with ICE candidates :: sessionID=$S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID={other}
    """

    assert other not in closed(text, S).joined
