"""Bytes of a file -> records: a JSON array, JSON objects one after the other, or lines; packed or not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from diag.errors import DataError
from diag.model.records import LogRecord
from diag.sources.files.lines import UTF8_MARK, read_lines
from diag.sources.files.objects import read_array, read_stream
from diag.sources.files.packed import is_packed, unpack

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LOOK_AT = 8192

# "[pod/NAME/CONTAINER]", "[GIN]" and "[2026-..." begin lines of text. gcloud may warn above its array.
_BEGINS_ARRAY = re.compile(rb"\s*(?P<above>(?:[^\[{\n][^\n]*\n){0,5})\[\s*(?:[{\]\[]|\Z)")
_BEGINS_PRETTY = re.compile(rb"\s*\{[ \t\r]*\n")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        cut: it ends in the middle of an object or an array: something is missing.
        problems: what else of it could not be read, a line of text each.
    """

    records: tuple[LogRecord, ...]
    cut: bool = False
    problems: tuple[str, ...] = ()


def read_content(raw: bytes, name: str) -> Content:
    """The records of one file; raises `DataError` where the content is no log at all."""
    unpacked = unpack(raw, name)
    content = _read_plain(unpacked.data, name)
    if not unpacked.broken:
        return content
    problem = f"{name}: {unpacked.broken}, read as far as it goes; fetch it again"
    return replace(content, cut=False, problems=(*content.problems, problem))


def _read_plain(raw: bytes, name: str) -> Content:
    data = _to_utf8(raw, name)
    array = _BEGINS_ARRAY.match(data)
    if array is not None:
        above = tuple(read_lines(data[: array.end("above")], name))
        records = (*above, *read_array(data[array.end("above") :], name, len(above) + 1))
        return Content(records, cut=not data.rstrip().endswith(b"]"))
    if _BEGINS_PRETTY.match(data):
        return _to_content(read_stream(data.decode("utf-8", "replace"), name))
    return _to_content(read_lines(data, name))


def _to_content(found: Iterable[LogRecord]) -> Content:
    records = tuple(found)
    return Content(records, cut=ends_cut(records[-1]) if records else False)


def ends_cut(last: LogRecord) -> bool:
    """Whether what ends with this record ends in the middle of an object."""
    return isinstance(last.data, str) and last.data.lstrip().startswith("{")


def _to_utf8(raw: bytes, name: str) -> bytes:
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", "replace").encode()
    if b"\x00" in raw[:_LOOK_AT]:
        raise DataError(f"{name}: a binary file, not logs", hint="give JSON, NDJSON or text logs")
    return raw.removeprefix(UTF8_MARK)


def holds_lines(head: bytes) -> bool:
    """Whether a file that begins so is read line by line: no array, no indented objects, nothing packed."""
    if head.startswith(_UTF16) or is_packed(head) or b"\x00" in head:
        return False
    data = head.removeprefix(UTF8_MARK)
    return _BEGINS_ARRAY.match(data) is None and _BEGINS_PRETTY.match(data) is None
