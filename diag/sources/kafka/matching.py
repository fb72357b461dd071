"""Which records name a session: decided on the raw bytes, since nearly all of them name another one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from diag.model.identifiers import is_lost
from diag.model.instants import NS_PER_MS
from diag.model.loose_json import load_json
from diag.model.records import KafkaRecord

_MOST_REMEMBERED = 50_000
_REGISTRY_MARK = 5
_BRACE = ord("{")


class RecordMatcher:
    """Finds the records that name one of some IDs, or lost their ID and name no session at all."""

    def __init__(self, ids: frozenset[str], id_keys: frozenset[str]) -> None:
        self._ids = ids
        self._id_keys = id_keys
        self._known: dict[bytes, bool] = {}
        names = "|".join(re.escape(name) for name in sorted(id_keys, key=lambda name: (-len(name), name)))
        self._fields = re.compile(
            rf'"(?:{names})"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,}}"]+))'.encode(), re.DOTALL
        )

    def match(self, message: Any) -> KafkaRecord | None:
        """The record of a message, None where it is not wanted."""
        if not self._may_match(message):
            return None
        record = _to_record(message, self._id_keys)
        ids = record.session_ids
        wanted = not self._ids.isdisjoint(ids) or (record.is_lost and not ids)
        return record if wanted else None

    def _may_match(self, message: Any) -> bool:
        if message.key is not None and self._is_wanted(message.key):
            return True
        for name, raw in message.headers:
            if name in self._id_keys and self._is_wanted(raw or b""):
                return True
        value = _json_in(message.value)
        return bool(value) and self._may_hold(value)

    def _may_hold(self, value: bytes) -> bool:
        """Whether decoding a JSON value can bring a wanted ID; a text with escapes may be anything."""
        for match in self._fields.finditer(value):
            text = match[1] if match[1] is not None else match[2]
            if b"\\" in text or self._is_wanted(text):
                return True
        return False

    def _is_wanted(self, raw: bytes) -> bool:
        known = self._known.get(raw)
        if known is None:
            text = _to_text(raw)
            known = text in self._ids or is_lost(text)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[raw] = known
        return known


def _to_record(message: Any, id_keys: frozenset[str]) -> KafkaRecord:
    value: bytes = message.value or b""
    return KafkaRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        time_ns=message.timestamp * NS_PER_MS,
        key=None if message.key is None else _to_text(message.key),
        headers=tuple((name, _to_text(raw or b"")) for name, raw in message.headers),
        id_fields=tuple(_id_fields(_json_in(value), id_keys)),
        size=len(value),
        id_headers=id_keys,
    )


def _to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _json_in(value: bytes | None) -> bytes:
    """The JSON object of a value, empty where it is none; behind the mark of a schema registry, too.

    That is a zero byte and the number of the schema in four (Confluent, "Wire format").
    """
    if not value:
        return b""
    if value[0] == 0 and value[_REGISTRY_MARK : _REGISTRY_MARK + 1] == b"{":
        return value[_REGISTRY_MARK:]
    return value if value[0] == _BRACE else b""


def _id_fields(value: bytes, id_keys: frozenset[str]) -> Iterable[tuple[str, str]]:
    if not value:
        return []
    try:
        fields = load_json(value)
    except ValueError:
        return []
    return [(key, str(fields[key])) for key in sorted(id_keys & fields.keys()) if fields[key] is not None]
