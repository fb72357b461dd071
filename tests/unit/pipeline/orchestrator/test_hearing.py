"""Whether speech arrives: nothing less than an assignment of the topic as it is now proves it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.orchestrator.hearing import Hearing

WELL: dict[str, Any] = {"connected": True, "topic_there": True, "joined": True, "assignments": 1}


@pytest.mark.parametrize("lack", [{"connected": False}, {"joined": False}, {"assignments": 0}])
def test_each_part_of_the_way_counts(lack: dict[str, Any]) -> None:
    """And a part that is back is enough."""
    hearing = Hearing()

    assert not hearing.judge(**{**WELL, **lack})
    assert hearing.judge(**WELL)


def test_a_topic_that_is_back_is_heard_once_its_partitions_are_assigned() -> None:
    """Until then the group's member reads nothing, and nothing says so."""
    hearing = Hearing()
    assert hearing.judge(**WELL)
    assert not hearing.judge(**{**WELL, "topic_there": False})
    assert not hearing.judge(**WELL)
    assert hearing.judge(**{**WELL, "assignments": 2})


def test_a_lost_connection_says_nothing_of_the_topic() -> None:
    """No topic is known then; the member may keep its place."""
    hearing = Hearing()
    hearing.judge(**WELL)
    hearing.judge(**{**WELL, "connected": False, "topic_there": False})

    assert hearing.judge(**WELL)
