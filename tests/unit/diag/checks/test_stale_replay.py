"""How old a record is, is told by its own time, where it has one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.model.findings import Result
from tests.cases import diagnose, read_case

CASE = """
# asks: $S
# topics: audio-in=40 audio-out

00:02.000 media-server  info  Audio published to Kafka successfully :: session_id=$S topic=audio-in
00:03.000 orchestrator  info  Processing audio session :: session_id=$S topic=audio-in partition=0 offset=5
00:02.000 record audio-in/0@5
"""


@pytest.mark.parametrize("time_ns", [0, -1_000_000])
def test_a_record_without_a_time_is_not_half_a_century_old(time_ns: int) -> None:
    """Producers may write 0, and Kafka gives -1 ms for no time at all."""
    case = read_case(CASE)
    records = tuple(replace(record, time_ns=time_ns) for record in case.records or ())
    outcomes = {one.slug: one for one in diagnose(replace(case, records=records)).outcomes}

    assert outcomes["kafka-stale-replay"].result is Result.CLEAR
