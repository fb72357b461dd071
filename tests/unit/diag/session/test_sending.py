"""The order in which records were sent, as against the order in which they lie."""

from __future__ import annotations

import pytest

from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.session.flow.sending import find_order, sent_ns

NOW_S = 1_753_615_601


def record(
    offset: int, sent: int | None, *, partition: int = 0, at: int | None = None, key: str | None = "k"
) -> KafkaRecord:
    """One that was sent at `sent` seconds and written at `at` (else when its offset came)."""
    headers = () if sent is None else (("timestamp", str((NOW_S + sent) * NS_PER_S)),)
    return KafkaRecord("t", partition, offset, (offset if at is None else at) * NS_PER_S, key, headers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1753615601", 1753615601 * NS_PER_S),
        ("1753615601372", 1753615601372 * 10**6),
        ("1753615601372000", 1753615601372 * 10**6),
        ("1753615601372000001", 1753615601372000001),
        ("2025-07-27T11:26:41.372Z", 1753615601372 * 10**6),
        ("12", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_sending_time_is_read_in_every_unit(text: str, expected: int | None) -> None:
    """Nanoseconds of one service, RFC 3339 of another; anything else says nothing."""
    assert sent_ns(KafkaRecord("t", 0, 0, 1, "k", (("Timestamp", text),))) == expected


def test_records_in_the_order_of_sending_are_no_inversion() -> None:
    """Nor are two of one time."""
    order = find_order([record(0, 1), record(1, 1), record(2, 5)])

    assert (order.inversions, order.across, order.spread) == (0, 0, {})


def test_a_record_behind_a_later_sent_one_is_an_inversion() -> None:
    """Each record that came too late counts once, whatever it stands behind."""
    first, late, later = record(0, 9), record(1, 3), record(2, 4)
    order = find_order([late, later, first])

    assert (order.inversions, order.across) == (2, 0)
    assert (order.examples[0].record, order.examples[0].behind) == (late, first)


def test_a_key_over_several_partitions_is_spread_and_its_inversions_are_counted_apart() -> None:
    """Within each partition all is in order; over both, what was sent second was written first."""
    order = find_order([record(0, 5, partition=1, at=10), record(0, 2, partition=0, at=11)])

    assert order.spread == {"k": (0, 1)}
    assert (order.inversions, order.across) == (0, 1)


def test_what_was_written_at_one_moment_has_no_order_over_partitions() -> None:
    """Two partitions share no offsets, and a tie of times proves nothing."""
    order = find_order([record(0, 5, partition=1, at=10), record(0, 2, partition=0, at=10)])

    assert order.across == 0


def test_two_keys_in_two_partitions_are_neither_spread_nor_out_of_order() -> None:
    """Only records of one key have an order to keep."""
    order = find_order([record(0, 5, key="a", at=10), record(0, 2, partition=1, key="b", at=11)])

    assert (order.inversions, order.across, order.spread) == (0, 0, {})


def test_nothing_is_said_of_order_where_nothing_tells_when_records_were_sent() -> None:
    """No header, a header on some only, a lost key, or two writers with two clocks."""
    assert find_order([record(0, None), record(1, None)]).inversions is None
    assert find_order([record(0, 2), record(1, None)]).inversions is None
    assert find_order([record(0, 2, key="undefined"), record(1, 1, key="undefined")]).inversions is None
    assert find_order([record(0, 2), record(1, 1)], one_writer=False).inversions is None


def numbered(*numbers: int) -> list[KafkaRecord]:
    return [KafkaRecord("t", 0, i, i, "k", (("seq", str(n)),)) for i, n in enumerate(numbers)]


def test_numbers_tell_the_order_where_there_are_no_times() -> None:
    """Unless they come twice, or begin anew: then they count utterances, or chunks of one."""
    assert find_order(numbered(1, 3, 2)).inversions == 1
    assert find_order(numbered(1, 2, 1, 2)).inversions is None
    assert find_order(numbered(4, 5, 1, 2)).inversions is None
