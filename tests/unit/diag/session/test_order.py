"""Lines of one time: in the order of writing where something tells it, else in the order of the work."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.normalise import join_frames, to_frame
from diag.session.order.sort import put_in_order
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, diagnose, read_case, to_records

S = DEFAULTS["S"]
CALL = """
# asks: $S
00:00.100 media-server info Using session ID from header :: sessionID=$S
00:00.220 media-server info WHIP connection established with ICE candidates :: sessionID=$S
00:00.300 media-server info Connection established successfully - audio should flow :: sessionID=$S
00:00.500 orchestrator info WebSocket client connected :: connID=$W
00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S
00:03.000 orchestrator info Trigger LLM event received :: sessionID=$S
00:03.010 orchestrator info Processing final transcript to trigger AI pipeline :: sessionID=$S
00:03.020 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
00:03.900 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
00:03.910 orchestrator info LLM processing completed :: sessionID=$S processingTime=880
00:03.920 orchestrator info BroadcastToSession called :: sessionID=$S
00:03.921 orchestrator info WebSocket message sent successfully :: sessionID=$S
00:03.990 orchestrator info AI pipeline completed successfully :: sessionID=$S
00:09.000 media-server info Connection closed :: sessionID=$S
00:09.001 media-server info Connection cleaned up :: sessionID=$S
"""


def in_whole_seconds(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As a logger writes that knows no fractions."""
    return [{**entry, "timestamp": f"{entry['timestamp'][:19]}Z"} for entry in entries]


def with_drawn_ids(entries: Iterable[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """As an agent sends them that draws its insert IDs."""
    drawn = random.Random(seed)
    return [{**entry, "insertId": f"{drawn.getrandbits(60):015x}"} for entry in entries]


def ordered(entries: Iterable[dict[str, Any]]) -> list[str]:
    frame = join_frames([to_frame(to_records(entries), load_catalogue())])
    events = EventFinder(frame, load_catalogue()).mentioning(frozenset({S, DEFAULTS["W"]}))
    return [event.entry.message for event in put_in_order(events)]


WRITTEN = [entry["jsonPayload"]["msg"] for entry in read_case(CALL).entries]


@pytest.mark.parametrize("seed", range(5))
def test_drawn_insert_ids_tell_no_order(seed: int) -> None:
    """The usual course of a call is assumed where a second holds many lines."""
    assert ordered(with_drawn_ids(in_whole_seconds(read_case(CALL).entries), seed)) == WRITTEN


def test_insert_ids_that_count_up_tell_the_order_of_writing() -> None:
    """Even where it is an unusual one: what was written first came first."""
    entries = list(read_case(CALL).entries)
    early, late = 8, 7  # complete before executing, in one second
    swapped = [*entries[:late], entries[early], entries[late], *entries[early + 1 :]]
    numbered = [{**entry, "insertId": f"i{place:05d}"} for place, entry in enumerate(swapped)]

    found = ordered(in_whole_seconds(numbered))

    assert found == [entry["jsonPayload"]["msg"] for entry in swapped]


@pytest.mark.parametrize("seed", range(5))
def test_no_cause_is_derived_from_lines_of_one_second(seed: int) -> None:
    """A healthy call stays one, whatever the insert IDs."""
    case = read_case(CALL)
    entries = tuple(with_drawn_ids(in_whole_seconds(case.entries), seed))

    assert diagnose(type(case)(case.head, entries)).verdict.status.value == "healthy"
