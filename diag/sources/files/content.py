"""Bytes of a file -> records: a JSON array, JSON objects one after the other, or lines.

What is broken is kept: the whole objects before a cut are records, and so is the rest as a line.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from diag.errors import DataError
from diag.model.records import LogRecord

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_LOOK_AT = 8192

# "[pod/NAME/CONTAINER]", "[GIN]" and "[2026-..." begin lines of text.
_BEGINS_ARRAY = re.compile(rb"\s*\[\s*(?:[{\]]|\Z)")
_SEPARATORS = re.compile(r"[ \t\r\n,\[\]]*")
_BEGINS_PRETTY = re.compile(rb"\s*\{[ \t\r]*\n")


def read_content(raw: bytes, name: str) -> Iterator[LogRecord]:
    """The records of one file; raises `DataError` where the content is no log at all."""
    data = _to_utf8(raw, name)
    if _BEGINS_ARRAY.match(data):
        yield from _read_array(data, name)
    elif _BEGINS_PRETTY.match(data):
        yield from _read_stream(data.decode("utf-8", "replace"), name)  # pretty-printed objects
    else:
        yield from _read_lines(data, name)


def _to_utf8(raw: bytes, name: str) -> bytes:
    if raw.startswith(_GZIP):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{name}: broken gzip file ({error})", hint="fetch it again") from error
    if raw.startswith(_ZSTD):
        raise DataError(f"{name}: compressed with zstd", hint=f"zstd -dc {name} | diag session <id> -")
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", "replace").encode()
    if b"\x00" in raw[:_LOOK_AT]:
        raise DataError(f"{name}: a binary file, not logs", hint="give JSON, NDJSON or text logs")
    return raw.removeprefix(_UTF8_MARK)


def _read_lines(data: bytes, name: str) -> Iterator[LogRecord]:
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.rstrip(b"\r")  # noqa: PLW2901  the same line without its end
        if line.strip():
            yield LogRecord(_read_line(line), f"{name}:{number}")


def _read_line(line: bytes) -> dict[str, Any] | str:
    if line.lstrip().startswith(b"{"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            pass  # half an object is a line of text, and counted as not understood
        else:
            return found if isinstance(found, dict) else str(found)
    return line.decode("utf-8", "replace")


def _read_array(data: bytes, name: str) -> Iterator[LogRecord]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        yield from _read_stream(data.decode("utf-8", "replace"), name)
        return
    for number, one in enumerate(found, 1):
        yield LogRecord(one if isinstance(one, dict) else str(one), f"{name}:{number}")


def _read_stream(text: str, name: str) -> Iterator[LogRecord]:
    """Objects with white space, commas or an array's brackets between them.

    What is broken is one record, up to the next line that begins an object as the first one began:
    its lines mean nothing one by one.
    """
    decoder, position, number = json.JSONDecoder(), 0, 1
    next_object: re.Pattern[str] | None = None
    while (start := _SEPARATORS.match(text, position).end()) < len(text):  # type: ignore[union-attr]
        number += text.count("\n", position, start)
        next_object = next_object or _like_the_first(text, start)
        found, position = _decode(decoder, text, start, next_object)
        yield LogRecord(found, f"{name}:{number}")
        number += text.count("\n", start, position)


def _like_the_first(text: str, start: int) -> re.Pattern[str]:
    """What a line begins with that begins an object: the white space before the first one."""
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    return re.compile(rf"\n{re.escape(indent) if indent.isspace() else ''}(?=\{{)")


def _decode(
    decoder: json.JSONDecoder, text: str, start: int, next_object: re.Pattern[str]
) -> tuple[dict[str, Any] | str, int]:
    try:
        found, end = decoder.raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        after = next_object.search(text, start)
        end = after.start() if after else len(text)
        return " ".join(text[start:end].split()), end
    return found if isinstance(found, dict) else str(found), end
