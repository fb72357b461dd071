"""What the catalogue's commands answer: problems of a file, and entries that logs propose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a catalogue file.

    Attributes:
        line: from 1; 0 where the file as a whole is meant.
        text: what is wrong.
        remedy: what to do about it.
    """

    file: str
    line: int
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FileCount:
    """What one catalogue file holds."""

    file: str
    messages: int
    patterns: int
    id_keys: int


@dataclass(frozen=True, slots=True)
class CatalogueReport:
    """What ``diag catalogue validate`` found; `counts` has one row per file that could be read."""

    counts: tuple[FileCount, ...]
    problems: tuple[Problem, ...]
