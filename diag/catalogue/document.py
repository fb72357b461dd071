"""A catalogue file as it was read: its table, and the line of each part of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from diag.catalogue.places import Path, find_lines
from diag.model.catalogue_report import Problem

LARGEST = 1_000_000
"""Bytes; the packaged catalogue, all services together, has a twentieth of it."""

_DEEPEST = 16
# tomllib takes time and memory with the square of a dotted key's length: it must not see a long one.
_LONG_KEY = re.compile(
    r"""(?<![\w."'-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""", re.ASCII
)
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True)
class Document:
    """One file.

    Attributes:
        name: as the user gave it.
        table: what TOML makes of it; empty where it could not be read.
        unreadable: why it could not be read.
    """

    name: str
    text: str = ""
    table: Mapping[str, Any] = field(default_factory=dict)
    unreadable: Problem | None = None

    @cached_property
    def _lines(self) -> Mapping[Path, int]:
        return find_lines(self.text)

    def line_of(self, path: Path) -> int:
        """The line of `path`, or of the nearest part around it that has one."""
        ends = range(len(path), 0, -1)
        return next((self._lines[path[:end]] for end in ends if path[:end] in self._lines), 0)

    def problem(self, path: Path, text: str, remedy: str) -> Problem:
        """Something wrong at `path`."""
        return Problem(self.name, self.line_of(path), text, remedy)


def read_document(name: str) -> Document:
    """The file `name`; what hinders is in `Document.unreadable`, nothing is raised."""
    try:
        with FilePath(name).open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        return _refuse(name, 0, f"it can not be read: {reason}", "check the name and your rights")
    if len(raw) > LARGEST:
        return _refuse(
            name, 0, f"larger than {LARGEST:,} bytes", "give a catalogue; logs go to diag catalogue learn"
        )
    return parse_document(name, raw)


def parse_document(name: str, raw: bytes) -> Document:
    """The document that `raw` is."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return _refuse(name, line, "no text in UTF-8", "a catalogue is a TOML file")
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        line = text.count("\n", 0, long_key.start()) + 1
        return _refuse(name, line, "nested too deeply", "a catalogue has four levels; see docs/catalogue.md")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _refuse_syntax(name, text, str(error))
    except RecursionError:
        return _refuse(name, 0, "nested too deeply", "a catalogue has four levels; see docs/catalogue.md")
    except ValueError as error:  # a number of a million digits
        return _refuse(name, 0, f"no TOML: {error}", "a catalogue holds texts only")
    if _is_deep(table):
        return _refuse(name, 0, "nested too deeply", "a catalogue has four levels; see docs/catalogue.md")
    return Document(name, text, table)


def _refuse(name: str, line: int, text: str, remedy: str) -> Document:
    return Document(name, unreadable=Problem(name, line, text, remedy))


def _refuse_syntax(name: str, text: str, said: str) -> Document:
    place = _AT_LINE.search(said)
    line = int(place[1]) if place else text.count("\n") + 1
    column = f", column {place[2]}" if place else ""
    remedy = "correct the TOML syntax there"
    if said.startswith("Cannot overwrite a value"):
        remedy = "the same message or key stands there twice: remove one"
    return _refuse(name, line, f"no TOML: {_AT_LINE.sub('', said)}{column}", remedy)


def _is_deep(table: Mapping[str, Any]) -> bool:
    level: list[Any] = [table]
    for _ in range(_DEEPEST):
        level = [
            one
            for value in level
            for one in (value.values() if isinstance(value, dict) else value)
            if isinstance(one, dict | list)
        ]
    return bool(level)
