"""Texts and keys as TOML writes them."""

from __future__ import annotations

import json
import re
import unicodedata

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def to_key(name: str) -> str:
    """A key, in quotes only where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else quote(name)


def quote(text: str) -> str:
    r"""A TOML string; what does not show is escaped, and a ``\`` alone calls for single quotes."""
    shows = all(_shows(char) for char in text)
    if shows and "\\" in text and "'" not in text:
        return f"'{text}'"
    return '"' + "".join(_escape(char) for char in text) + '"'


def _shows(char: str) -> bool:
    return char == " " or unicodedata.category(char)[0] not in "CZ"


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if _shows(char):
        return char
    code = ord(char)
    return (
        json.dumps(char)[1:-1]
        if char in "\n\t\r"
        else f"\\u{code:04x}"
        if code < 65_536
        else f"\\U{code:08x}"
    )
