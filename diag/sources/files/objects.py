"""Objects in a text, with anything of JSON's own between them: an array, or one after the other.

What is broken is kept as text, and what follows it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from diag.model.loose_json import TooDeepError, decode_json
from diag.model.records import LogRecord

_SEPARATORS = re.compile(r"[ \t\r\n,\[\]]*")
_NOTHING = re.compile(r"(?!)")
_MOST_BROKEN = 100
"""Broken objects beyond which the rest of a file is one: an export has few, an attack has many."""

_FIRST_KEY = re.compile(r"\{\s*\"[^\"\\]{1,200}\"\s*:")


def read_array(data: bytes, name: str, number: int = 1) -> Iterator[LogRecord]:
    """What an array holds; the objects of a broken one have the numbers of their lines, from `number` on."""
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_stream(data.decode("utf-8", "replace"), name, number)
    return (LogRecord(to_data(one), f"{name}:{n}") for n, one in enumerate(found, 1))


def to_data(found: object) -> dict[str, Any] | str:
    """What an array holds, as a record's data."""
    return found if isinstance(found, dict) else str(found)


def read_stream(text: str, name: str, number: int = 1) -> Iterator[LogRecord]:
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


def _decode(text: str, start: int, next_object: re.Pattern[str]) -> tuple[dict[str, Any] | str, int]:
    try:
        found, end = decode_json(text, start)
    except TooDeepError:
        return text[start:], len(text)
    except ValueError:
        after = next_object.search(text, start + 1)
        end = after.start() if after else len(text)
        return " ".join(text[start:end].split()), end
    return to_data(found), end
