"""Where in a TOML text each key and value stands: ``tomllib`` tells values and no lines.

It reads only texts that ``tomllib`` has accepted, so it needs to know where things begin and end, and
nothing of what is allowed.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""Keys, and places in arrays, from the top: ``("services", "gateway", "patterns", 0, "event")``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_BARE = re.compile(r"[^,\]}\n#]+")


def find_lines(text: str) -> Mapping[Path, int]:
    """Every key, table and array element of a valid TOML text -> its line, from 1."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}

    def scan(self) -> Mapping[Path, int]:
        base: Path = ()
        while self._skip_blank():
            if self._next() == "[":
                base = self._header()
            else:
                self._pair(base)
        return self._lines

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_blank(self) -> bool:
        """Go to the next thing that counts; False at the end."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _mark(self, path: Path) -> None:
        self._lines.setdefault(path, bisect_right(self._ends, self._at - 1) + 1)

    def _header(self) -> Path:
        """``[a.b]`` or ``[[a.b]]``: the path of the table that begins."""
        is_element = self._text.startswith("[[", self._at)
        start, self._at = self._at, self._at + (2 if is_element else 1)
        parts = self._key()
        end, self._at = self._at, start
        path: Path = ()
        for place, part in enumerate(parts, 1):
            path = (*path, part)
            if is_element and place == len(parts):
                self._counts[path] = self._counts.get(path, 0) + 1
            self._mark(path)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self._mark(path)
        self._at = end + (2 if is_element else 1)
        return path

    def _key(self) -> tuple[str, ...]:
        parts: list[str] = []
        while True:
            self._skip_blank()
            found = _KEY_PART.match(self._text, self._at)
            if found is None:
                return tuple(parts)
            parts.append(_to_key(found[0]))
            self._at = found.end()
            self._skip_blank()
            if self._next() != ".":
                return tuple(parts)
            self._at += 1

    def _pair(self, base: Path) -> None:
        start = self._at
        path = (*base, *self._key())
        end, self._at = self._at, start
        for length in range(len(base) + 1, len(path) + 1):
            self._mark(path[:length])
        self._at = end + 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        self._mark(path)
        match self._next():
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._take(_TEXT)
            case _:
                self._take(_BARE)

    def _take(self, form: re.Pattern[str]) -> None:
        found = form.match(self._text, self._at)
        self._at = found.end() if found else self._at + 1

    def _array(self, path: Path) -> None:
        self._at += 1
        place = 0
        while self._skip_blank() and self._next() != "]":
            if self._next() == ",":
                self._at += 1
                continue
            self._value((*path, place))
            place += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip_blank() and self._next() != "}":
            if self._next() == ",":
                self._at += 1
                continue
            self._pair(path)
        self._at += 1


def _to_key(raw: str) -> str:
    if raw.startswith('"'):
        return str(tomllib.loads(f"key = {raw}")["key"])
    return raw[1:-1] if raw.startswith("'") else raw
