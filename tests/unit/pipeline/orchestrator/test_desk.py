"""The desk: each turn is led once, its speech is committed at its end, and none is lost in between."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.orchestrator import desk as desk_module
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.desk import TurnDesk
from pipeline.orchestrator.failures import Failure
from pipeline.orchestrator.journal import TurnJournal
from pipeline.orchestrator.memory import StoredTurn
from pipeline.orchestrator.turn import Turn
from pipeline.wire.log_lines import Log
from pipeline.wire.progress import Place, Progress

SESSION = "session_1753615601372_cz4gw0fl5"
TURN = Turn("turn_0a1b2c3d", Utterance(SESSION, 1, b"", 1, Place(0, 5), None))


class World:
    """A desk, and what is around it."""

    def __init__(self, before: list[StoredTurn]) -> None:
        self.go = asyncio.Event()
        self.led: list[Turn] = []
        self.broken = False
        self.told: list[str] = []
        self.progress = Progress()
        self.progress.take(Place(0, 5))
        self.progress.hold(Place(0, 5))
        self.kept: dict[str, StoredTurn] = {}
        journal = TurnJournal(lambda turn: self.kept.update({turn.turn_id: turn}), before)
        self.desk = TurnDesk(self.run, self.tell, journal, self.progress, Log("orchestrator"))

    async def run(self, turn: Turn) -> None:
        self.led.append(turn)
        if self.broken:
            raise ZeroDivisionError
        await self.go.wait()

    async def tell(self, _turn: Turn, failure: Failure) -> None:
        self.told.append(failure.reason)


@pytest.fixture
async def build(lines):
    """`build(turns before)`: a desk in the test's loop."""
    worlds: list[World] = []

    def make(*before: StoredTurn) -> World:
        worlds.append(World(list(before)))
        return worlds[-1]

    yield make
    for world in worlds:
        await world.desk.drain(0.0)


async def test_speech_is_committed_at_the_end_of_its_turn(build, eventually) -> None:
    """Not before, also where the same speech is read again meanwhile."""
    world = build()
    assert world.desk.submit(TURN)
    assert world.desk.submit(TURN)
    await eventually(lambda: world.led)
    assert world.progress.committable() == {0: 5}

    world.go.set()
    await eventually(lambda: world.progress.committable() == {0: 6})
    assert world.led == [TURN]


async def test_a_turn_that_ended_before_the_crash_is_not_led_again(build, lines) -> None:
    """Only its commit was missing."""
    world = build(StoredTurn(TURN.turn_id, SESSION, 1, done=True))

    assert world.desk.submit(TURN)
    assert world.progress.committable() == {0: 6}
    assert lines.names() == ["turn-known"]


async def test_a_turn_that_was_cut_off_is_led_again_and_that_is_said(build, lines, eventually) -> None:
    """Under its own ID."""
    world = build(StoredTurn(TURN.turn_id, SESSION, 1, done=False))
    world.go.set()
    world.desk.submit(TURN)
    await eventually(lambda: world.progress.committable() == {0: 6})

    assert world.led == [TURN]
    assert lines.one("turn-again")["turn_id"] == TURN.turn_id


async def test_a_turn_that_is_given_up_is_told_to_its_caller(build, lines, eventually) -> None:
    """It is answered with an error, not with silence."""
    world = build(StoredTurn(TURN.turn_id, SESSION, 2, done=False))
    world.desk.submit(TURN)
    await eventually(lambda: world.progress.committable() == {0: 6})

    assert (world.led, world.told) == ([], ["it was cut off twice"])
    assert lines.one("turn-given-up")["session_id"] == SESSION


async def test_turns_are_finished_before_their_partition_goes(build, eventually) -> None:
    """The handing over waits for them, and for no others."""
    world = build()
    world.desk.submit(TURN)
    await eventually(lambda: world.led)
    await world.desk.hand_over([1])
    handing = asyncio.create_task(world.desk.hand_over([0]))
    await asyncio.sleep(0)
    assert not handing.done()

    world.go.set()
    await handing
    assert world.progress.committable() == {0: 6}


async def test_a_partition_is_not_held_for_ever(build, eventually, monkeypatch) -> None:
    """Then the turn is left to the next reader: its speech stays uncommitted."""
    monkeypatch.setattr(desk_module, "HAND_OVER_S", 0.01)
    world = build()
    world.desk.submit(TURN)
    await eventually(lambda: world.led)
    await world.desk.hand_over([0])

    assert world.progress.committable() == {0: 5}
    await eventually(lambda: not world.desk.lanes.take_off(SESSION, TURN.turn_id))  # it runs here no more


async def test_a_turn_that_the_end_of_the_process_breaks_off_is_left_to_the_next(build, eventually) -> None:
    """Uncommitted, and not counted as a crash."""
    world = build()
    world.desk.submit(TURN)
    await eventually(lambda: world.led)
    await world.desk.drain(0.0)

    assert world.progress.committable() == {0: 5}


async def test_a_turn_that_waits_when_the_process_ends_was_not_cut_off(build, eventually) -> None:
    """An end in good order counts against no turn: neither the one that runs, nor the one behind it."""
    world = build()
    behind = Turn("turn_11111111", Utterance(SESSION, 2, b"", 1, Place(0, 9), None))
    world.desk.submit(TURN)
    world.desk.submit(behind)
    await eventually(lambda: world.led)
    await world.desk.drain(0.0)

    assert world.led == [TURN]
    assert [(turn.attempts, turn.done) for turn in world.kept.values()] == [(0, False)] * 2


async def test_a_fault_of_ours_does_not_hold_speech_for_ever(build, eventually) -> None:
    """Uncommitted it would be read again after each restart, and bring the same fault."""
    world = build()
    world.broken = True
    world.desk.submit(TURN)
    await eventually(lambda: world.progress.committable() == {0: 6})

    assert world.kept[TURN.turn_id].done
