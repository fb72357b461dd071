"""The lines that a catalogue file knows, one by one, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diag.catalogue.document import Document
from diag.catalogue.places import Path
from diag.model.catalogue import Meaning


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A message or pattern of one file; `pattern` is None for an exact message."""

    document: Document
    path: Path
    meaning: Meaning
    pattern: re.Pattern[str] | None = None

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.document.name}:{self.document.line_of(self.path)}"


def list_entries(document: Document, bad: frozenset[Path] = frozenset()) -> Iterator[CatalogueEntry]:
    """The entries of `document`; what has a problem, at one of the paths `bad`, is left out."""
    yield from _entries_in(document, (), "", document.table, bad)
    for service, table in _table(document.table, "services").items():
        if isinstance(table, dict):
            yield from _entries_in(document, ("services", service), service, table, bad)


def _entries_in(
    document: Document, base: Path, service: str, table: Mapping[str, Any], bad: frozenset[Path]
) -> Iterator[CatalogueEntry]:
    for text, row in _table(table, "messages").items():
        path = (*base, "messages", text)
        if not _is_bad(path, bad):
            yield CatalogueEntry(document, path, _to_meaning(text, service, row))
    patterns = table.get("patterns", ())
    for place, row in enumerate(patterns if isinstance(patterns, list) else ()):
        path = (*base, "patterns", place)
        if not _is_bad(path, bad):
            meaning = _to_meaning(row["shown"], service, row)
            yield CatalogueEntry(document, path, meaning, re.compile(row["pattern"]))


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    return found if isinstance(found, dict) else {}


def _is_bad(path: Path, bad: frozenset[Path]) -> bool:
    return any(one[: len(path)] == path for one in bad)


def _to_meaning(text: str, service: str, row: Mapping[str, Any]) -> Meaning:
    return Meaning(
        text=text,
        service=service,
        event=row["event"],
        eras=frozenset(row.get("eras", "").split()),
        attributes=row.get("attributes", {}),
        shows=tuple(row.get("shows", ())),
        samples=tuple(row.get("samples", ())),
        level=row.get("level", ""),
        attributed=row.get("attributed", ""),
        same=row.get("same", {}),
        code=row.get("code", ""),
    )
