"""JSON as some writers have it: NaN of Python's, half a character of JavaScript's, numbers beyond every type.

The quick reader refuses all of these, and with them the line around.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import orjson

_MOST_DIGITS, _LEAST, _GREATEST = 20, -(2**63), 2**64 - 1
"""What the quick reader takes for an integer; of thousands of digits Python itself makes none."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def load_json(text: str | bytes) -> Any:
    """What `text` holds; what is infinite, or no number at all, is nothing. Raises `ValueError`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        plain = (text if isinstance(text, str) else text.decode("utf-8", "replace")).strip()
    found, end = decode_json(plain, 0)
    if end < len(plain):
        raise ValueError("something stands behind it")
    return found


def decode_json(text: str, start: int) -> tuple[Any, int]:
    """What begins at `start`, and where it ends; raises `ValueError`, and of what is too deep, too."""
    try:
        found, end = _DECODER.raw_decode(text, start)
        return _without_surrogates(found, text[start:end]), end
    except RecursionError as error:
        raise TooDeepError("it is nested too deep") from error


class TooDeepError(ValueError):
    """Nobody can tell where it ends."""


def _to_number(text: str) -> float | None:
    """As the quick reader has it."""
    if len(text) <= _MOST_DIGITS and text.lstrip("-").isdecimal() and _LEAST <= int(text) <= _GREATEST:
        return int(text)
    found = float(text)
    return found if isfinite(found) else None


_DECODER = json.JSONDecoder(parse_int=_to_number, parse_float=_to_number, parse_constant=_to_number)


def _without_surrogates(found: Any, text: str) -> Any:
    """Half a UTF-16 pair, which JSON may escape, is no character: nothing could write it."""
    if _SURROGATE.search(text) is None:
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
