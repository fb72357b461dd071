"""Record batches as a broker keeps them, decoded whatever the names of their headers are.

A broker takes headers whose names are not UTF-8. aiokafka 0.14 raises at such a record for as long as its
batch is read, so that what stands behind it can not be had from the library at all. The form
is Apache Kafka's (Message Format, in its documentation): a head of 61 bytes, then records of zigzag varints.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from aiokafka import codec
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.util import decode_varint_py  # the compiled one reads past the end of its buffer
from aiokafka.structs import TopicPartition

from diag.model.values import value

_BEFORE_LENGTH = struct.calcsize(">qi")
_MAGIC_AT = 16
_HEAD = struct.Struct(">qiibIhiqqqhii")
_LOG_APPEND_TIME, _CONTROL = 0x08, 0x20
_CODEC_MASK = 0x07
_CODECS: dict[int, tuple[Callable[[], bool], Callable[[bytes], bytes]]] = {
    1: (codec.has_gzip, codec.gzip_decode),
    2: (codec.has_snappy, codec.snappy_decode),
    3: (codec.has_lz4, codec.lz4_decode),
    4: (codec.has_zstd, codec.zstd_decode),
}

Headers = tuple[tuple[str, bytes | None], ...]


@value
class FetchedRecord:
    """One record, as the library's own ones are.

    Attributes:
        timestamp: in milliseconds.
        misnamed: whether the name of one of its headers is not UTF-8; what is none of it is U+FFFD here.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    misnamed: bool = False


def decode_batches(raw: bytes, place: TopicPartition, start: int) -> tuple[list[FetchedRecord], int]:
    """The records of a fetch from offset `start` on, and where to go on; a batch that was cut is for then.

    Raises `KafkaError` where the bytes are no batches, or packed in a way that can not be read here.
    """
    records: list[FetchedRecord] = []
    position = start
    try:
        for batch in _split(raw):
            found, behind = _decode_batch(batch, place)
            records += (record for record in found if record.offset >= position)
            position = max(position, behind)
    except (struct.error, LookupError, ValueError, OSError) as error:
        raise CorruptRecordException(
            f"in {place.topic}/{place.partition} after {position}: {error}"
        ) from error
    return records, position


def _split(raw: bytes) -> Iterator[bytes]:
    at = 0
    while len(raw) - at > _MAGIC_AT:
        _, length = struct.unpack_from(">qi", raw, at)
        end = at + _BEFORE_LENGTH + length
        if end > len(raw):
            return
        if length <= 0:
            raise ValueError(f"a batch of {length} bytes")
        yield raw[at:end]
        at = end


def _decode_batch(batch: bytes, place: TopicPartition) -> tuple[list[FetchedRecord], int]:
    if batch[_MAGIC_AT] < 2:
        return _decode_old_batch(batch, place)
    base, _, _, _, _, attributes, last, first_ms, last_ms, _, _, _, count = _HEAD.unpack_from(batch)
    behind = base + last + 1
    if attributes & _CONTROL:
        return [], behind
    body = _Body(_unpack(batch[_HEAD.size :], attributes & _CODEC_MASK))
    appended_ms = last_ms if attributes & _LOG_APPEND_TIME else None
    return [body.read_record(place, base, first_ms, appended_ms) for _ in range(count)], behind


def _decode_old_batch(batch: bytes, place: TopicPartition) -> tuple[list[FetchedRecord], int]:
    """Of a broker that was once older than 0.11: it has no headers, and the library reads it."""
    try:
        old = LegacyRecordBatch(batch, batch[_MAGIC_AT])
        records = [
            FetchedRecord(place.topic, place.partition, one.offset, one.timestamp or 0, one.key, one.value)
            for one in old
        ]
    except SystemError as error:  # the compiled class takes sizes as they stand there
        raise ValueError(str(error)) from error
    return records, old.next_offset


def _unpack(packed: bytes, kind: int) -> bytes:
    if not kind:
        return packed
    is_there, unpack = _CODECS[kind]
    if not is_there():
        raise UnsupportedCodecError(f"no library for compression {kind}")
    try:
        return unpack(packed)
    except Exception as error:  # each library has its own for what is damaged
        raise ValueError(f"it can not be unpacked: {error}") from error


class _Body:
    """The records of a batch, read from front to back."""

    def __init__(self, raw: bytes) -> None:
        self._raw = bytearray(raw)
        self._at = 0

    def read_record(
        self, place: TopicPartition, base: int, first_ms: int, appended_ms: int | None
    ) -> FetchedRecord:
        """The next one; what it says of its place and time is relative to its batch."""
        length = self._read_number()
        end = self._at + length
        self._at += 1  # its attributes say nothing yet
        created_ms = first_ms + self._read_number()
        offset = base + self._read_number()
        key, body = self._read_bytes(), self._read_bytes()
        named = [(self._read_bytes() or b"", self._read_bytes()) for _ in range(self._read_number())]
        if self._at != end or end > len(self._raw):
            raise ValueError(f"the record at {offset} is not as long as it says")
        headers = tuple((name.decode("utf-8", "replace"), text) for name, text in named)
        misnamed = any(not _is_text(name) for name, _ in named)
        time_ms = created_ms if appended_ms is None else appended_ms
        return FetchedRecord(place.topic, place.partition, offset, time_ms, key, body, headers, misnamed)

    def _read_number(self) -> int:
        number: int
        number, self._at = decode_varint_py(self._raw, self._at)
        return number

    def _read_bytes(self) -> bytes | None:
        length = self._read_number()
        if length < 0:
            return None
        start, self._at = self._at, self._at + length
        return bytes(self._raw[start : self._at])


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
