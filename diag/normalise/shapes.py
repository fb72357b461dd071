"""Which shape a record has, and its parts by that shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diag.model.records import LogRecord
from diag.model.remembered import Remembered
from diag.normalise.draft import Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.log_entry import is_log_entry, read_log_entry
from diag.normalise.text_line import read_text_line
from diag.normalise.wrapped import find_wrapper


def read_record(record: LogRecord) -> Draft:
    """The parts of one record, whatever its shape."""
    if isinstance(record.data, str):
        return read_text_line(record.data)
    return _READERS[tuple(record.data)](record.data)


def _find_reader(keys: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Draft]:
    """How an object with these keys is read."""
    if is_log_entry(keys):
        return read_log_entry
    if "_source" in keys and "_index" in keys:
        return _read_hit
    return find_wrapper(frozenset(keys)) or read_json_line


def _read_hit(hit: Mapping[str, Any]) -> Draft:
    """A document as Elasticsearch gives it out."""
    found = hit["_source"]
    if not isinstance(found, dict) or "_source" in found:
        return read_json_line(hit)
    return _READERS[tuple(found)](found)


_READERS = Remembered(_find_reader)
"""The keys of an object -> how it is read: a file's objects have few sets of keys."""
