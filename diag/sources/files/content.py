"""Bytes of a file -> records: a JSON array, JSON objects one after the other, or lines; packed or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from diag.errors import DataError
from diag.model.records import LogRecord
from diag.sources.files.archive import is_archive, read_members
from diag.sources.files.binary import LOOK_AT, WIDE_MARKS, ZERO, is_binary, strip_zeros
from diag.sources.files.bundles import is_bundle, unbundle
from diag.sources.files.lines import UTF8_MARK, read_lines
from diag.sources.files.objects import read_array, read_stream
from diag.sources.files.packed import Room, is_packed, unpack
from diag.sources.files.table import is_table, read_table

WANTED = "give JSON, NDJSON or text logs"
"""What to do where there is no log in what was given."""
_ARCHIVES_DEEP = 2
_SHOWN = 3

# "[pod/NAME/CONTAINER]", "[GIN]" and "[2026-..." begin lines of text. gcloud may warn above its array.
_BEGINS_ARRAY = re.compile(rb"\s*(?P<above>(?:[^\[{\n][^\n]*\n){0,5})\[\s*(?:[{\]\[]|\Z)")
# It may tell of its updates below the array.
_BELOW_ARRAY = re.compile(rb"\](?=(?:[ \t\r]*\n[^\[\]{}\n]*){1,6}\Z)")
_LONGEST_BELOW = 2000

_BEGINS_PRETTY = re.compile(rb"\s*\{[ \t\r]*\n")

_BEGINS_YAML = re.compile(
    rb"---\r?\n(?:insertId|jsonPayload|textPayload|protoPayload|httpRequest|labels|logName|operation):"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        cut: it ends in the middle of an object or an array: something is missing.
        problems: what else of it could not be read, a line of text each.
        notes: what is worth to be known, and is no loss.
    """

    records: tuple[LogRecord, ...]
    cut: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing stands in it, and nothing of it was lost."""
        return not (self.records or self.cut or self.problems or self.notes)


def read_content(raw: bytes, name: str) -> Content:
    """The records of one file; raises `DataError` where the content is no log at all."""
    return _read_any(raw, name, Room(), _ARCHIVES_DEEP)


def _read_any(raw: bytes, name: str, room: Room, deep: int) -> Content:
    unpacked = unpack(raw, name, room)
    is_deeper = is_archive(unpacked.data[:LOOK_AT])
    if is_deeper and not deep:
        raise DataError(f"{name}: an archive in an archive in an archive", hint="unpack it and give the logs")
    content = (
        _read_archive(unpacked.data, name, room, deep - 1) if is_deeper else _read_plain(unpacked.data, name)
    )
    if not unpacked.broken:
        return content
    problem = f"{name}: {unpacked.broken}, read as far as it goes; fetch it again"
    return replace(content, cut=False, problems=(*content.problems, problem))


def _read_archive(data: bytes, name: str, room: Room, deep: int) -> Content:
    """The records of all its files; one that can not be read costs a line, not the others."""
    records, problems, notes, others = list[LogRecord](), list[str](), list[str](), list[str]()
    try:
        for shown, member in read_members(data, name, room):
            if isinstance(member, DataError):
                problems.append(f"{member}; {member.hint}")
            elif is_binary(member):
                others.append(shown)
            elif member:
                content = _read_member(member, shown, room, deep)
                records += content.records
                problems += content.problems
                notes += content.notes
    except DataError as error:
        if not records:
            raise
        problems.append(f"{error}; {error.hint}")
    if others:
        told = describe_others(name, others)
        notes.append(told) if records else problems.append(f"{told}; {WANTED}")
    if not records and problems:
        raise DataError(problems[0].partition("; ")[0], hint=problems[0].partition("; ")[2])
    return Content(tuple(records), problems=tuple(problems), notes=tuple(notes))


def _read_member(data: bytes, shown: str, room: Room, deep: int) -> Content:
    try:
        content = _read_any(data, shown, room, deep)
    except DataError as error:
        return Content((), problems=(f"{error}; {error.hint}",))
    cut = (f"{shown}: ends in the middle of an object; export it again",) if content.cut else ()
    return replace(content, cut=False, problems=(*content.problems, *cut))


def describe_others(name: str, others: Sequence[str]) -> str:
    """What of a folder or an archive was left aside."""
    plural = "s are" if len(others) > 1 else " is"
    return f"{name}: {len(others)} file{plural} binary and no logs: {', '.join(others[:_SHOWN])}"


def _read_plain(raw: bytes, name: str) -> Content:
    data = _to_utf8(raw, name)
    array = _BEGINS_ARRAY.match(data)
    if array is not None:
        return _read_array(data, array.end("above"), name)
    if _BEGINS_PRETTY.match(data):
        return _to_content(unbundle(read_stream(data.decode("utf-8", "replace"), name), name))
    if is_bundle(data):
        return _to_content(unbundle(read_lines(data, name), name))
    if is_table(data):
        return Content(tuple(read_table(data, name)))
    if _BEGINS_YAML.match(data):
        raise DataError(f"{name}: gcloud's YAML", hint="add --format=json to gcloud logging read")
    return _to_content(read_lines(data, name))


def _read_array(data: bytes, start: int, name: str) -> Content:
    """An array, and the lines that somebody wrote above and below it."""
    closed = _BELOW_ARRAY.search(data, max(start, len(data) - _LONGEST_BELOW))
    end = closed.end() if closed is not None else len(data)
    above = tuple(read_lines(data[:start], name))
    below = tuple(read_lines(data[end:], name, data.count(b"\n", 0, end) + 1))
    found = unbundle(read_array(data[start:end], name, len(above) + 1), name)
    return Content((*above, *found, *below), cut=not data[:end].rstrip().endswith(b"]"))


def _to_content(found: Iterable[LogRecord]) -> Content:
    records = tuple(found)
    return Content(records, cut=ends_cut(records[-1]) if records else False)


def ends_cut(last: LogRecord) -> bool:
    """Whether what ends with this record ends in the middle of an object."""
    return isinstance(last.data, str) and last.data.lstrip().startswith("{")


def _to_utf8(raw: bytes, name: str) -> bytes:
    for mark, encoding in WIDE_MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, "replace").encode()
    text = strip_zeros(raw)
    if text is None:
        raise DataError(f"{name}: a binary file, not logs", hint=WANTED)
    return text.removeprefix(UTF8_MARK)


def holds_lines(head: bytes) -> bool:
    """Whether a file that begins so is read line by line: no array, no table, nothing packed."""
    if head.startswith(tuple(WIDE_MARKS)) or is_packed(head) or is_archive(head) or ZERO in head:
        return False
    data = head.removeprefix(UTF8_MARK)
    whole = any(form.match(data) for form in (_BEGINS_ARRAY, _BEGINS_PRETTY, _BEGINS_YAML))
    return not (whole or is_bundle(data) or is_table(data))
