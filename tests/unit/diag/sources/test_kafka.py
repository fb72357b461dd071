"""The Kafka source without a broker: addresses, matching on raw bytes, shares, and brokers that fail midway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NotLeaderForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import ConsumerRecord, OffsetAndTimestamp, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from diag.errors import SourceError, UsageError
from diag.model.identifiers import is_lost
from diag.model.settings import KafkaSettings
from diag.model.window import Window
from diag.sources.kafka import TopicCut, read_records, reader, records
from diag.sources.kafka.batches import FetchedRecord
from diag.sources.kafka.bootstrap import parse_bootstrap
from diag.sources.kafka.by_hand import fetch_by_hand
from diag.sources.kafka.matching import RecordMatcher
from diag.sources.kafka.offsets import share_out

S, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601988_p07w2hhrk"
ID_KEYS = frozenset({"session_id", "session-id", "sessionID"})
WINDOW = Window(0, 10**12)


@pytest.mark.parametrize(
    "text",
    [
        "broker:9092",
        "10.0.0.1:1",
        "[::1]:65535",
        "a:1,b-c.d_e.svc.cluster.local:2",
        " a:1 , b:2 ",
        "host.:9092",
    ],
)
def test_addresses_are_taken(text: str) -> None:
    """Hosts, IPv4, IPv6 in brackets, several."""
    assert [server.strip() for server in text.split(",")] == list(parse_bootstrap(text))


@pytest.mark.parametrize(
    "text",
    [
        "::::", "host", "host:", ":9092", "host:0", "host:99999", "host:x", "a b:9092", "a:1,", "a:1;b:2", "::1:9092",
        "[::1]", "[zz]:1", "kafka://a:1", "a..b:9092", "x" * 64 + ":1", "höst:1", "host:٣", "-a:1",
    ],
)  # fmt: skip
def test_rubbish_is_wrong_usage(text: str) -> None:
    """In words that name the setting and show how it looks."""
    with pytest.raises(UsageError, match=r"kafka\.bootstrap \(--kafka\) must be host:port") as caught:
        parse_bootstrap(text)

    assert "--kafka broker:9092" in caught.value.hint
    assert len(str(caught.value)) < 160


def message(
    key: bytes | None = None,
    headers: Sequence[tuple[str, bytes | None]] = (),
    value: bytes | None = b"\xff\x00",
    *,
    topic: str = "audio-in",
    partition: int = 0,
    offset: int = 0,
) -> Any:
    return ConsumerRecord(
        topic,
        partition,
        offset,
        1000,
        0,
        key,
        value,
        None,
        len(key or b""),
        len(value or b""),
        tuple(headers),
    )


def value_of(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (message(S.encode()), True),
        (message(OTHER.encode()), False),
        (message(None, [("session-id", S.encode())]), True),
        (message(None, [("user", S.encode())]), False),
        (message(OTHER.encode(), [("session-id", S.encode())]), True),
        (message(None, [], value_of(session_id=S)), True),
        (message(None, [], value_of(text=S)), False),
        (message(None, [], b'{"session_id" : "\\u0073ession_1753615601372_cz4gw0fl5"}'), True),
        (message(None, [], b'{"a": {"session_id": "' + S.encode() + b'"}}'), False),
        (message(None, [], b'{"session_id": "' + S.encode() + b'"'), False),
        (message(None, [], None), False),
        (message(None, [], b"\x00\x00\x00\x01\x07" + value_of(session_id=S)), True),
        (message(None, [], b"\x00\x00\x00\x01\x07" + value_of(session_id=OTHER)), False),
        (message(None, [], b"\x01\x00\x00\x01\x07" + value_of(session_id=S)), False),
        (message(None, [], b"\x00\x00"), False),
        (message(b"undefined"), True),
        (message(b"session_NaN_abc"), True),
        (message(b"", [("session-id", OTHER.encode())]), False),
        (message(None, [("session-id", b"undefined")]), True),
        (message(None, [("session-id", None)]), True),
        (message(OTHER.encode(), [("session-id", b"undefined")]), False),
        (message(S.encode(), [("session-id", b"undefined")]), True),
        (message(None, [], value_of(session_id="")), True),
        (message(None, [], value_of(session_id=None)), False),
        (message(None, [], value_of(session_id=S, score=float("nan"))), True),
    ],
)
def test_a_record_is_wanted_if_it_names_the_session_or_lost_its_id(one: Any, *, wanted: bool) -> None:
    """Another session's lost header is that session's trouble; null in JSON is how Python services log."""
    matcher = RecordMatcher(frozenset({S}), ID_KEYS)

    assert (matcher.match(one) is not None) is wanted


TEXTS = st.sampled_from([S, OTHER, "undefined", "", "pod-1", "<nil>", 'a"b', "é", "\\"]) | st.text(max_size=5)
SCALARS = TEXTS | st.none() | st.integers() | st.booleans() | st.lists(TEXTS, max_size=2)
FIELDS = st.dictionaries(
    st.sampled_from(
        [*sorted(ID_KEYS), "text", 'x"session_id'],
    ),
    SCALARS,
    max_size=3,
)


@given(
    fields=FIELDS,
    spaced=st.booleans(),
    escaped=st.booleans(),
    key=st.none() | TEXTS,
    headers=st.lists(st.tuples(st.sampled_from(["session-id", "stage"]), TEXTS), max_size=2),
)
def test_looking_at_raw_bytes_misses_nothing(
    fields: dict, key: str | None, headers: list, *, spaced: bool, escaped: bool
) -> None:
    """The same answer as decoding everything."""
    value = json.dumps(fields, separators=(" , ", " : ") if spaced else (",", ":"), ensure_ascii=escaped)
    raw = [(name, text.encode()) for name, text in headers]
    named = [text for name, text in headers if name in ID_KEYS]
    named += [str(fields[name]) for name in ID_KEYS & fields.keys() if fields[name] is not None]
    named += [] if key is None else [key]
    ids = {text for text in named if not is_lost(text)}
    wanted = S in ids or (bool(named) and not ids)

    one = message(None if key is None else key.encode(), raw, value.encode())

    assert (RecordMatcher(frozenset({S}), ID_KEYS).match(one) is not None) is wanted


def test_a_bound_takes_small_partitions_whole_and_always_the_same() -> None:
    """What a busy topic can not have must not cost the quiet ones."""
    big, mid, small = (TopicPartition(name, 0) for name in ("a-big", "b-mid", "c-small"))
    offsets = {big: (100, 1100), mid: (0, 60), small: (5, 15)}

    assert share_out(offsets, 100) == {small: (5, 15), mid: (0, 45), big: (100, 145)}
    assert share_out(offsets, 10_000) == offsets
    assert sum(end - start for start, end in share_out(offsets, 2).values()) <= 2


class FakeConsumer:
    """A broker's records, given out batch by batch; an exception as a batch is raised, an end is silence."""

    def __init__(self, partitions: dict[TopicPartition, int], batches: Sequence[Any]) -> None:
        self.ends = partitions
        self.leaderless = set[TopicPartition]()
        self._client = SimpleNamespace(
            cluster=SimpleNamespace(leader_for_partition=lambda one: -1 if one in self.leaderless else 1),
            force_metadata_update=self.end_election,
        )
        self.batches = list(batches)
        self.positions: dict[TopicPartition, int] = {}

    async def end_election(self) -> None:
        """The next one that waits for a leader has it."""
        self.leaderless = set(list(self.leaderless)[1:])

    async def topics(self) -> set[str]:
        return {one.topic for one in self.ends}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {one.partition for one in self.ends if one.topic == topic}

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict:
        return {one: OffsetAndTimestamp(0, 0) if ms == 0 else None for one, ms in times.items()}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.ends[one] for one in partitions}

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, 0)

    def seek(self, one: TopicPartition, offset: int) -> None:
        self.positions[one] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        pass

    async def position(self, one: TopicPartition) -> int:
        return self.positions[one]

    async def getmany(self, **_bounds: int) -> dict[TopicPartition, list]:
        batch = self.batches.pop(0) if self.batches else {}
        if isinstance(batch, Exception):
            raise batch
        for one, messages in batch.items():
            self.positions[one] = messages[-1].offset + 1
        return batch


IN, OUT = TopicPartition("audio-in", 0), TopicPartition("audio-out", 0)


@pytest.mark.parametrize("count", [1, 9])
async def test_partitions_without_a_leader_are_waited_for_and_then_named(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An election passes; of a broker that is down nobody hears that host and port are wrong."""
    monkeypatch.setattr(reader, "_ELECTION_PAUSES_S", (0.0, 0.0, 0.0))
    consumer = FakeConsumer({TopicPartition("audio-in", n): 1 for n in range(9)}, [])
    consumer.leaderless = {TopicPartition("audio-in", n) for n in range(count)}

    if count == 1:
        assert len(await reader.list_partitions(consumer)) == 9
        return
    with pytest.raises(SourceError, match=r"audio-in/\d, .* and \d more have no leader") as refused:
        await reader.list_partitions(consumer)
    assert "--unavailable-partitions" in str(refused.value.hint)


@pytest.fixture
def read_from(monkeypatch: pytest.MonkeyPatch):
    """`read_from(partitions, batches)`: what is read of a fake broker."""

    async def read(
        partitions: dict, batches: Sequence, **settings: Any
    ) -> tuple[records.RecordsRead, list[str]]:
        said: list[str] = []

        @asynccontextmanager
        async def open_fake(_settings: KafkaSettings) -> AsyncIterator[FakeConsumer]:
            yield FakeConsumer(partitions, batches)

        monkeypatch.setattr(records, "open_consumer", open_fake)
        given = KafkaSettings("b:1", **{"timeout_s": 0.05, **settings})
        return await read_records(given, WINDOW, frozenset({S}), ID_KEYS, said.append), said

    return read


FIRST = {IN: [message(S.encode(), offset=0), message(OTHER.encode(), offset=1)]}


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (KafkaConnectionError("gone"), "can not be reached"),
        (OffsetOutOfRangeError({IN: 2}), "could not be read"),
        (ValueError("what is this"), "what is this"),
        ({}, "stopped sending records"),
    ],
)
async def test_a_broker_that_fails_midway_costs_the_rest_and_not_what_was_read(
    read_from, then: Any, why: str
) -> None:
    """The reason and what is missing of which topic are said."""
    batches = [FIRST, then] if then else [FIRST]
    read, _ = await read_from({IN: 5, OUT: 1}, batches)

    assert [record.offset for record in read.records] == [0]
    assert why in read.problem
    assert read.cut == (TopicCut("audio-in", 2, 5), TopicCut("audio-out", 0, 1))
    assert not read.complete


NOT_UTF_8 = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


async def test_past_what_the_library_can_not_read_all_is_read_by_hand(
    read_from, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From where each partition was; a topic that may not be read costs no other one then, either."""
    denied = TopicPartition("secret", 0)
    asked = []

    async def fetch(_consumer: Any, one: TopicPartition, start: int, **_: Any) -> tuple[list, int]:
        asked.append((one, start))
        if one == denied:
            raise TopicAuthorizationFailedError(one.topic)
        own = [FetchedRecord(one.topic, 0, n, 0, S.encode(), b"", (), n == 4) for n in range(start, 7)]
        return own, 7

    monkeypatch.setattr(records, "fetch_by_hand", fetch)
    read, _ = await read_from({IN: 5, OUT: 1, denied: 3}, [FIRST, NOT_UTF_8])

    assert set(asked) == {(IN, 2), (OUT, 0), (denied, 0)}
    assert sorted((record.topic, record.offset) for record in read.records) == [
        ("audio-in", 0),
        ("audio-in", 2),
        ("audio-in", 3),
        ("audio-in", 4),
        ("audio-out", 0),
    ]
    assert (read.misnamed, read.denied, read.looked_at) == (("audio-in/0@4",), ("secret",), 6)
    assert read.cut == (TopicCut("secret", 0, 3),)


class FakeClient:
    """Answers of a leader, one after the other; an exception among them is raised."""

    def __init__(self, *answers: Any, leader: int | None = 1) -> None:
        self.answers = list(answers)
        self.updates = 0
        self.cluster = SimpleNamespace(leader_for_partition=lambda _: leader)

    async def send(self, _node: int, _request: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(topics=[("audio-in", [(0, answer, 9, 9, [], -1, b"")])])

    async def force_metadata_update(self) -> None:
        self.updates += 1


async def fetch_from(client: FakeClient) -> Any:
    consumer = SimpleNamespace(_client=client)
    return await fetch_by_hand(consumer, IN, 3, most_bytes=1, timeout_s=1.0)


@pytest.mark.parametrize("answer", [NotLeaderForPartitionError.errno, KafkaConnectionError("gone"), None])
async def test_a_leader_that_has_changed_is_looked_for_again(answer: Any) -> None:
    """As the library does: elected anew, gone, or not there at all. The reader asks once more then."""
    client = FakeClient(answer, leader=None if answer is None else 1)

    assert await fetch_from(client) == ([], 3)
    assert client.updates == 1


@pytest.mark.parametrize("kind", [TopicAuthorizationFailedError, OffsetOutOfRangeError])
async def test_what_will_not_change_is_raised(kind: type[Exception]) -> None:
    """With the topic's name."""
    client = FakeClient(kind.errno)  # type: ignore[attr-defined]

    with pytest.raises(kind, match="audio-in"):
        await fetch_from(client)


async def test_offsets_that_hold_no_record_are_no_stall(read_from) -> None:
    """The marker of a transaction has an offset of its own."""
    read, said = await read_from({IN: 3}, [{IN: [message(S.encode(), offset=2)]}])

    assert (read.complete, read.problem, read.looked_at) == (True, "", 1)
    assert said == ["reading Kafka: 0 of 3 records"]


async def test_a_bound_says_of_each_topic_what_was_cut(read_from) -> None:
    """The small one is whole."""
    batches = [
        {IN: [message(S.encode(), offset=n) for n in range(6)]},
        {OUT: [message(OTHER.encode(), topic="audio-out")]},
    ]
    read, said = await read_from({IN: 6, OUT: 1}, batches, max_records=3)

    assert read.cut == (TopicCut("audio-in", 2, 6),)
    assert (len(read.records), read.looked_at, read.problem) == (2, 3, "")
    assert said == ["reading Kafka: 0 of 3 records", "reading Kafka: 2 of 3 records"]
