"""A frame depends on its records alone, not on what was read before them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from diag.catalogue import load_catalogue
from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.records import LogRecord
from diag.normalise import to_frame
from tests.cases import to_entry


def _fresh() -> Catalogue:
    """A catalogue with which nothing was read yet."""
    return replace(load_catalogue())


def _records(**changes) -> list[LogRecord]:
    entry = to_entry("00:00.000 media-server info Audio published to Kafka successfully :: sessionID=s1", 1)
    return [LogRecord({**entry, **changes}, "f:1")]


ALIKE = (
    _records(labels={"session_id": 1, "k8s-pod/app": "media-server"}),
    _records(labels={"session_id": True, "k8s-pod/app": "media-server"}),
    _records(labels={"session_id": 1.0, "k8s-pod/app": "media-server"}),
    _records(labels={"session_id": "1", "k8s-pod/app": "media-server"}),
)
"""To a dictionary the first three are the same."""


@pytest.mark.parametrize("first", ALIKE)
def test_what_was_learned_changes_nothing(first) -> None:
    """Frames that are made with one catalogue are those that each alone would be, in any order."""
    alone = [to_frame(records, _fresh()) for records in ALIKE]
    catalogue = _fresh()
    to_frame(first, catalogue)
    for records, expected in zip(ALIKE, alone, strict=True):
        assert to_frame(records, catalogue).equals(expected)


def test_orders_of_reading() -> None:
    """What is one ID to one entry is not another's: 1, 1.0 and True name three sessions."""
    for order in permutations(range(3)):
        catalogue, found = _fresh(), {}
        for number in order:
            found[number] = to_frame(ALIKE[number], catalogue)[frames.IDS][0].to_list()
        assert found == {n: to_frame(ALIKE[n], _fresh())[frames.IDS][0].to_list() for n in range(3)}


def test_many_frames_count_on() -> None:
    """The order continues an earlier frame's, and no records make an empty frame."""
    frame = to_frame(_records() * 3, _fresh(), 7)
    assert frame[frames.ORDER].to_list() == [7, 8, 9]
    assert to_frame([], _fresh(), 7).equals(frames.no_entries())
