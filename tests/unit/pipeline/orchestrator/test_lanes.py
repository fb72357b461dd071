"""Lanes: one turn at a time in a session, sessions side by side, an end within its bound."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.lanes import MOST_WAITING, TurnLanes
from pipeline.orchestrator.turn import Turn
from pipeline.wire.progress import Place


def _turn(session_id: str, number: int = 0) -> Turn:
    return Turn(f"turn_{number}", Utterance(session_id, number, b"", 1, Place(0, number), None))


class Runner:
    """Runs turns until it is told to let them go."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.finished: list[str] = []
        self.go = asyncio.Event()

    async def run(self, turn: Turn) -> None:
        name = f"{turn.session_id}{turn.turn_id[-1]}"
        self.started.append(name)
        await self.go.wait()
        self.finished.append(name)


@pytest.fixture
async def runner() -> Runner:
    """A runner in the test's loop."""
    return Runner()


async def test_turns_of_a_session_are_in_order_and_sessions_in_parallel(runner, eventually) -> None:
    """The second turn of a session starts after its first one; the other session does not wait."""
    lanes = TurnLanes(runner.run)
    for session_id, number in (("a", 1), ("a", 2), ("b", 1)):
        assert lanes.submit(_turn(session_id, number))
    await eventually(lambda: len(runner.started) == 2)
    assert runner.started == ["a1", "b1"]

    runner.go.set()
    await eventually(lambda: len(runner.finished) == 3)
    assert runner.finished.index("a1") < runner.finished.index("a2")


async def test_a_session_may_come_back(runner, eventually) -> None:
    """A lane that is done is gone; the next turn has a new one."""
    runner.go.set()
    lanes = TurnLanes(runner.run)
    for number in (1, 2):
        lanes.submit(_turn("a", number))
        await eventually(lambda number=number: f"a{number}" in runner.finished)
        await eventually(lambda: not lanes._tasks)

    assert lanes._waiting == {}


async def test_too_many_waiting_turns_are_refused(runner, eventually) -> None:
    """The bound is per session."""
    lanes = TurnLanes(runner.run)
    lanes.submit(_turn("a"))
    await eventually(lambda: runner.started)
    taken = [lanes.submit(_turn("a", n)) for n in range(MOST_WAITING + 1)]

    assert taken == [True] * MOST_WAITING + [False]
    assert lanes.submit(_turn("b"))
    await lanes.drain(0.01)


async def test_a_turn_that_breaks_does_not_stop_other_sessions(runner, eventually) -> None:
    """Its session's lane is gone, the next turn has a new one."""

    async def run(turn: Turn) -> None:
        if turn.turn_id == "turn_1":
            raise asyncio.CancelledError
        await runner.run(turn)

    lanes = TurnLanes(run)
    lanes.submit(_turn("a", 1))
    await eventually(lambda: not lanes._tasks)
    lanes.submit(_turn("a", 2))
    await eventually(lambda: runner.started == ["a2"])
    await lanes.drain(0.01)


async def test_running_turns_may_finish(runner, eventually) -> None:
    """A shutdown waits for them, up to its bound."""
    lanes = TurnLanes(runner.run)
    lanes.submit(_turn("a", 1))
    await eventually(lambda: runner.started)
    draining = asyncio.create_task(lanes.drain(10))
    await asyncio.sleep(0)
    runner.go.set()
    await draining

    assert runner.finished == ["a1"]


async def test_a_turn_that_does_not_finish_is_ended(runner, eventually) -> None:
    """After the bound."""
    lanes = TurnLanes(runner.run)
    lanes.submit(_turn("a", 1))
    await eventually(lambda: runner.started)
    async with asyncio.timeout(60):
        await lanes.drain(0.01)

    assert runner.finished == []
    assert lanes._tasks == set()


async def test_an_interrupted_turn_ends_and_the_next_one_begins(runner, eventually) -> None:
    """Only the turn that is named, and only in its own session."""
    lanes, turns = TurnLanes(runner.run), [_turn("a", 1), _turn("a", 2), _turn("b", 1)]
    for turn in turns:
        lanes.submit(turn)
    await eventually(lambda: runner.started == ["a1", "b1"])

    assert lanes.interrupt("a", "turn_1")
    await eventually(lambda: "a2" in runner.started)
    assert [turn.interrupted.is_set() for turn in turns] == [True, False, False]
    runner.go.set()
    await eventually(lambda: len(runner.finished) == 2)
    assert set(runner.finished) == {"a2", "b1"}
    assert not lanes.interrupt("a", "turn_2")


async def test_a_turn_that_waits_can_be_interrupted_too(runner, eventually) -> None:
    """It never begins."""
    lanes = TurnLanes(runner.run)
    for number in (1, 2):
        lanes.submit(_turn("a", number))
    await eventually(lambda: runner.started)

    assert lanes.interrupt("a", "turn_2")
    runner.go.set()
    await eventually(lambda: not lanes._tasks)
    assert runner.started == ["a1"]
