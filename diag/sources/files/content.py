"""Bytes of a file -> records: a JSON array, JSON objects one after the other, or lines.

What is broken is kept as text, and what follows it is read.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import orjson

from diag.errors import DataError
from diag.model.records import LogRecord

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_LOOK_AT = 8192
LARGEST = 1 << 30
"""Bytes that one file may unpack to."""
MOST_PACKED = 200
"""Bytes that one packed byte may hold: logs pack twenty to one, a bomb a thousand to one."""
_SMALL = 64 << 20

# "[pod/NAME/CONTAINER]", "[GIN]" and "[2026-..." begin lines of text. gcloud may warn above its array.
_BEGINS_ARRAY = re.compile(rb"\s*(?P<above>(?:[^\[{\n][^\n]*\n){0,5})\[\s*(?:[{\]\[]|\Z)")
_BEGINS_PRETTY = re.compile(rb"\s*\{[ \t\r]*\n")
_SEPARATORS = re.compile(r"[ \t\r\n,\[\]]*")
_NOTHING = re.compile(r"(?!)")
_MOST_BROKEN = 100
"""Broken objects beyond which the rest of a file is one: an export has few, an attack has many."""

_MOST_DIGITS, _LEAST, _GREATEST = 20, -(2**63), 2**64 - 1
"""What the reader of lines takes for an integer; of thousands of digits Python itself makes none."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_FIRST_KEY = re.compile(r"\{\s*\"[^\"\\]{1,200}\"\s*:")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Attributes:
        cut: it ends in the middle of an object or an array: something is missing.
    """

    records: tuple[LogRecord, ...]
    cut: bool = False


def read_content(raw: bytes, name: str) -> Content:
    """The records of one file; raises `DataError` where the content is no log at all."""
    data = _to_utf8(raw, name)
    array = _BEGINS_ARRAY.match(data)
    if array is not None:
        above = tuple(read_lines(data[: array.end("above")], name))
        return _read_array(data[array.end("above") :], name, above)
    if _BEGINS_PRETTY.match(data):
        return _to_content(tuple(_read_stream(data.decode("utf-8", "replace"), name)))
    return _to_content(tuple(read_lines(data, name)))


def _to_content(records: tuple[LogRecord, ...]) -> Content:
    last = records[-1].data if records else ""
    return Content(records, cut=isinstance(last, str) and last.lstrip().startswith("{"))


def _to_utf8(raw: bytes, name: str) -> bytes:
    if raw.startswith(_GZIP):
        raw = _unpack(raw, name)
    if raw.startswith(_ZSTD):
        raise DataError(f"{name}: compressed with zstd", hint=f"zstd -dc {name} | diag session <id> -")
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", "replace").encode()
    if b"\x00" in raw[:_LOOK_AT]:
        raise DataError(f"{name}: a binary file, not logs", hint="give JSON, NDJSON or text logs")
    return raw.removeprefix(_UTF8_MARK)


def _unpack(raw: bytes, name: str) -> bytes:
    most = min(LARGEST, max(_SMALL, MOST_PACKED * len(raw)))
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            data = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: broken gzip file ({error})", hint="fetch it again") from error
    if len(data) > most:
        raise DataError(
            f"{name}: unpacks to more than {most >> 20} MiB", hint="unpack it and give the part in question"
        )
    return data


def holds_lines(head: bytes) -> bool:
    """Whether a file that begins so is read line by line: no array, no indented objects, nothing packed."""
    if head.startswith((_GZIP, _ZSTD, *_UTF16)) or b"\x00" in head:
        return False
    data = head.removeprefix(_UTF8_MARK)
    return _BEGINS_ARRAY.match(data) is None and _BEGINS_PRETTY.match(data) is None


def read_lines(data: bytes, name: str, first: int = 1) -> Iterator[LogRecord]:
    """A record for each line that is not blank; `first` is the number of the first line."""
    for number, line in enumerate(data.removeprefix(_UTF8_MARK).split(b"\n"), first):
        if line.startswith(b"{") or line.strip():
            yield LogRecord(_read_line(line), f"{name}:{number}")


def _read_line(line: bytes) -> dict[str, Any] | str:
    if line.startswith(b"{") or line.lstrip().startswith(b"{"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            pass  # half an object is a line of text, and counted as not understood
        else:
            return found if isinstance(found, dict) else str(found)
    return line.rstrip(b"\r").decode("utf-8", "replace")


def _read_array(data: bytes, name: str, above: tuple[LogRecord, ...]) -> Content:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        records = tuple(_read_stream(data.decode("utf-8", "replace"), name, len(above) + 1))
        return Content((*above, *records), cut=not data.rstrip().endswith(b"]"))
    return Content((*above, *(LogRecord(_to_data(one), f"{name}:{n}") for n, one in enumerate(found, 1))))


def _to_data(found: object) -> dict[str, Any] | str:
    return found if isinstance(found, dict) else str(found)


def _read_stream(text: str, name: str, number: int = 1) -> Iterator[LogRecord]:
    """Objects with white space, commas or an array's brackets between them.

    What is broken is one record, up to the next object that begins with the key that the first one
    begins with: exports write all their objects alike.
    """
    position, read, broken = 0, 0, 0
    next_object: re.Pattern[str] | None = None
    while (start := _end_of_separators(text, position)) < len(text):
        number += text.count("\n", position, start)
        next_object = next_object or _like_the_first(text, start)
        found, position = _decode(text, start, next_object if broken < _MOST_BROKEN else _NOTHING)
        yield LogRecord(found, f"{name}:{number}")
        read, broken = read + 1, broken + isinstance(found, str)
        number += text.count("\n", start, position)
    if not read and len(text.strip()) > len("[]"):
        yield LogRecord(text.strip(), f"{name}:{number}")


def _end_of_separators(text: str, position: int) -> int:
    found = _SEPARATORS.match(text, position)
    return found.end() if found else position


def _like_the_first(text: str, start: int) -> re.Pattern[str]:
    first = _FIRST_KEY.match(text, start)
    if first is None:
        return re.compile(r"(?<=\n)\{")
    key = first[0][1:-1].strip()
    return re.compile(rf"\{{\s*{re.escape(key)}\s*:")


def _to_number(text: str) -> float | None:
    """As the reader of lines has it; what is infinite, or no number at all, is nothing."""
    if len(text) <= _MOST_DIGITS and text.lstrip("-").isdecimal() and _LEAST <= int(text) <= _GREATEST:
        return int(text)
    found = float(text)
    return found if isfinite(found) else None


_DECODER = json.JSONDecoder(parse_int=_to_number, parse_float=_to_number, parse_constant=_to_number)


def _decode(text: str, start: int, next_object: re.Pattern[str]) -> tuple[dict[str, Any] | str, int]:
    try:
        found, end = _DECODER.raw_decode(text, start)
        found = _without_surrogates(found, text[start:end])
    except RecursionError:
        return text[start:], len(text)
    except json.JSONDecodeError:
        after = next_object.search(text, start + 1)
        end = after.start() if after else len(text)
        return " ".join(text[start:end].split()), end
    return _to_data(found), end


def _without_surrogates(found: Any, text: str) -> Any:
    """Half a UTF-16 pair, which JSON may escape, is no character: nothing could write it."""
    if _SURROGATE.search(text) is None:
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
