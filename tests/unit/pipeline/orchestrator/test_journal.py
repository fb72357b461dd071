"""Turns are led once; those that were cut off once more; those that were cut off twice not again."""

from __future__ import annotations

import pytest

from pipeline.orchestrator import journal as journal_module
from pipeline.orchestrator.journal import Admission, TurnJournal
from pipeline.orchestrator.memory import StoredTurn


@pytest.fixture
def kept() -> dict[str, StoredTurn]:
    """What the next process finds."""
    return {}


@pytest.fixture
def start(kept):
    """A journal as a process finds it that starts now."""

    def build() -> TurnJournal:
        return TurnJournal(lambda turn: kept.update({turn.turn_id: turn}), list(kept.values()))

    return build


def test_a_turn_is_led_once(start) -> None:
    """Not while it runs, not when it has ended, not after a restart."""
    journal = start()
    first = journal.admit("turn_1", "session")
    again = journal.admit("turn_1", "session")
    journal.finish("turn_1")

    assert (first, again) == (Admission.NEW, Admission.RUNNING)
    assert journal.admit("turn_1", "session") is Admission.DONE
    assert start().admit("turn_1", "session") is Admission.DONE


def test_a_turn_that_a_crash_cut_off_is_led_once_more_and_then_given_up(start) -> None:
    """It may be the turn that kills the process."""
    admissions = [start().admit("turn_1", "session") for _ in range(4)]

    assert admissions == [Admission.NEW, Admission.AGAIN, Admission.GIVEN_UP, Admission.DONE]


def test_a_turn_that_was_left_in_good_order_was_not_cut_off(start) -> None:
    """However many rollouts it lives through."""
    for _ in range(5):
        journal = start()
        assert journal.admit("turn_1", "session") is Admission.NEW
        journal.abandon("turn_1")


def test_the_journal_is_bounded(start, monkeypatch) -> None:
    """The oldest turn is forgotten."""
    monkeypatch.setattr(journal_module, "MOST_TURNS", 2)
    journal = start()
    for number in range(3):
        journal.admit(f"turn_{number}", "session")
        journal.finish(f"turn_{number}")

    assert journal.admit("turn_2", "session") is Admission.DONE
    assert journal.admit("turn_0", "session") is Admission.NEW
