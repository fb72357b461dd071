"""What may be committed while work is going on."""

from __future__ import annotations

from pipeline.wire.progress import Place, Progress


def test_the_oldest_open_work_holds_its_partition_and_no_other() -> None:
    """Later work that is done already waits with it."""
    progress = Progress()
    for place in (Place(0, 7), Place(0, 8), Place(1, 3)):
        progress.take(place)
    progress.hold(Place(0, 7))
    progress.hold(Place(0, 8))
    progress.release(Place(0, 8))

    assert progress.committable() == {0: 7, 1: 4}

    progress.release(Place(0, 7))
    assert progress.committable() == {0: 9, 1: 4}


def test_a_partition_that_was_given_up_is_not_committed() -> None:
    """Work on it may end later without harm."""
    progress = Progress()
    progress.take(Place(0, 7))
    progress.hold(Place(0, 7))
    progress.forget([0])
    progress.release(Place(0, 7))

    assert progress.committable() == {}
