"""Record batches decoded by hand: as the library does where it can, and on where it can not."""

from __future__ import annotations

import pytest
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from diag.sources.kafka.batches import decode_batches
from tests.contract.kafka_batches import PACKINGS, Record, pack

PLACE = TopicPartition("audio-in", 3)
RECORDS: list[Record] = [
    (b"k", b"v" * 200, [("session-id", b"s"), ("empty", None)]),  # type: ignore[list-item]
    (None, None, []),
    (b"", b"", [("NAME", b"x")]),
    (b"last", b"", []),
]


def build(*records: Record, base: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 20)
    for n, (key, value, headers) in enumerate(records):
        builder.append(n, 1_000 + n, key, value, headers)
    raw = builder.build()
    return base.to_bytes(8, "big") + bytes(raw[8:])


@given(
    st.lists(
        st.tuples(
            st.none() | st.binary(max_size=80),
            st.none() | st.binary(max_size=300),
            st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=9)), max_size=3),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 2**40),
)
def test_it_is_as_the_library_has_it(records: list, base: int) -> None:
    """Keys, values, headers, offsets and times of whatever can be read by both."""
    raw = build(*records, base=base)
    library = [
        (one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in DefaultRecordBatch(raw)
    ]

    ours, behind = decode_batches(raw, PLACE, 0)

    assert [(one.offset, one.timestamp, one.key, one.value, one.headers) for one in ours] == library
    assert (behind, any(one.misnamed for one in ours)) == (base + len(records), False)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(packing: str) -> None:
    """The record keeps its key and other headers, and it alone is said to be misnamed."""
    found, behind = decode_batches(pack(build(*RECORDS, base=7), packing), PLACE, 8)

    assert [(one.offset, one.misnamed) for one in found] == [(8, False), (9, True), (10, False)]
    assert (found[1].headers, found[1].key, behind) == ((("\ufffdAME", b"x"),), b"", 11)


def test_batches_of_an_old_broker_stand_among_the_others() -> None:
    """They have no headers; their times are kept."""
    found, behind = decode_batches(build_old() + build(*RECORDS, base=1), PLACE, 0)

    assert [(one.offset, one.timestamp, one.key) for one in found[:2]] == [(0, 500, b"k"), (1, 1_000, b"k")]
    assert behind == 5


@given(st.integers(0, 1_000))
def test_what_was_cut_is_for_the_next_fetch(cut: int) -> None:
    """A broker ends an answer in mid-batch: what is whole is taken, and it goes on behind that."""
    first, second = build(*RECORDS), build(*RECORDS, base=4)
    found, behind = decode_batches((first + second)[: len(first) + cut % len(second)], PLACE, 0)

    assert ([one.offset for one in found], behind) == ([0, 1, 2, 3], 4)


def build_old() -> bytes:
    old = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    old.append(0, 500, b"k", b"v")
    return bytes(old.build())


WHOLE = [*(pack(build(*RECORDS), packing) for packing in PACKINGS), build_old()]


@given(st.sampled_from(WHOLE), st.binary(min_size=1, max_size=3), st.integers(0, 10**6))
def test_what_is_no_batch_is_an_error_of_kafka_and_nothing_else(raw: bytes, noise: bytes, at: int) -> None:
    """So the reader ends as with any other failure, with what it has."""
    at %= len(raw)
    try:
        found, _ = decode_batches(raw[:at] + noise + raw[at + len(noise) :], PLACE, 0)
    except KafkaError:
        return
    assert all(one.offset >= 0 for one in found)


def test_a_record_that_is_not_as_long_as_it_says_is_corrupt() -> None:
    """In words that tell where."""
    raw = bytearray(build((b"k", b"v", [])))
    raw[61] += 2

    with pytest.raises(CorruptRecordException, match=r"in audio-in/3 after 5"):
        decode_batches(bytes(raw), PLACE, 5)
