"""Answers of log stores that hold many lines in one object: Cloud Logging, Elasticsearch, Loki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diag.model.records import LogRecord
from diag.sources.files.objects import to_data

_BEGINS = re.compile(
    rb'\s*\{\s*"(?:took"\s*:\s*\d|_scroll_id"|hits"\s*:\s*\{|data"\s*:\s*\{|entries"\s*:\s*\[|streams"\s*:\s*\['
    rb'|status"\s*:\s*"success"|stream"\s*:\s*\{|nextPageToken"\s*:\s*")'
)
_MOST_KEYS = 8
_GROUPS = ("structuredMetadata", "parsed")


def is_bundle(head: bytes) -> bool:
    """Whether a file that begins so holds such answers."""
    return _BEGINS.match(head) is not None


def unbundle(records: Iterable[LogRecord], name: str) -> Iterator[LogRecord]:
    """Each line alone; those of an answer are numbered through, as the objects of an array are."""
    number = 0
    for record in records:
        found = None if isinstance(record.data, str) else _open(record.data)
        if found is None:
            number += 1
            yield record
            continue
        for data in found:
            number += 1
            yield LogRecord(data, f"{name}:{number}")


def _open(data: Mapping[str, Any]) -> list[dict[str, Any] | str] | None:
    """The lines of an answer; None for what is a line itself."""
    if len(data) > _MOST_KEYS:
        return None
    if isinstance(data.get("stream"), dict) and isinstance(data.get("values"), list):
        return list(_open_streams([data]))
    hits, answer = data.get("hits"), data.get("data")
    if isinstance(hits, dict) and isinstance(hits.get("hits"), list):
        return list(map(to_data, hits["hits"]))
    if isinstance(answer, dict) and isinstance(answer.get("result"), list):
        return list(_open_streams(answer["result"]))
    if isinstance(data.get("streams"), list):
        return list(_open_streams(data["streams"]))
    entries = data.get("entries")
    is_answer = isinstance(entries, list) and not data.keys() - {"entries", "nextPageToken"}
    return list(map(to_data, entries or ())) if is_answer else None


def _open_streams(streams: Iterable[Any]) -> Iterator[dict[str, Any] | str]:
    """Loki's: the labels once, and a time and a text for each line. What is none of it is kept as it is."""
    for stream in streams:
        values = stream.get("values") if isinstance(stream, dict) else None
        if not isinstance(values, list):
            yield to_data(stream)
            continue
        for value in values:
            if isinstance(value, list) and len(value) >= 2:
                yield _to_line(stream.get("stream") or {}, *value)
            else:
                yield to_data(value)


def _labels_in(own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The metadata of a line, which Loki puts into two groups where it is asked to tell them from labels."""
    for name, value in own.items():
        if name in _GROUPS and isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _to_line(labels: Any, at: Any, line: Any, *more: Any) -> dict[str, Any]:
    """A line with what its stream and, since Loki 3, its own metadata say of it."""
    own = {name: value for one in more if isinstance(one, dict) for name, value in _labels_in(one)}
    rest = [one for one in more if not isinstance(one, dict)]
    if own and isinstance(labels, dict):
        labels = {**labels, **own}
    found = {"labels": labels, "timestamp": at, "line": line}
    return {**found, "rest": rest} if rest else found
