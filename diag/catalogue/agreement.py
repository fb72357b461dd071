"""Do the services and keys of several files agree?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diag.catalogue.document import Document
from diag.catalogue.places import Path
from diag.model.catalogue import SIDES, Catalogue
from diag.model.catalogue_report import Problem

_Place = tuple[Document, Path, str]


def check_agreement(documents: Sequence[Document], base: Catalogue) -> Iterator[Problem]:
    """Services without a side, names of two services, keys of two roles; `base` is the packaged one."""
    yield from _check_sides(documents, base)
    yield from _check_once(_aliases(documents), "name", "a name is one service's: remove it from one")
    yield from _check_once(_keys(documents), "key", "a key has one meaning: remove it from one")


def _check_sides(documents: Sequence[Document], base: Catalogue) -> Iterator[Problem]:
    known = {
        name
        for document in documents
        for name, row in document.table.get("services", {}).items()
        if "side" in row
    }
    for document in documents:
        for name in document.table.get("services", {}):
            if name not in known and name not in base.sides:
                path = ("services", name)
                yield document.problem(
                    path, f"service {name!r} has no side", f"add side = ..., one of {', '.join(SIDES)}"
                )


def _aliases(documents: Sequence[Document]) -> Iterator[_Place]:
    for document in documents:
        for name, row in document.table.get("services", {}).items():
            yield document, ("services", name), f"{name}\0{name}"
            for place, alias in enumerate(row.get("aliases", ())):
                yield document, ("services", name, "aliases", place), f"{alias.lower()}\0{name}"


def _keys(documents: Sequence[Document]) -> Iterator[_Place]:
    for document in documents:
        for role, keys in document.table.get("ids", {}).items():
            for place, key in enumerate(keys):
                yield document, ("ids", role, place), f"{key}\0an ID of role {role}"
        for place, key in enumerate(document.table.get("contents", {}).get("keys", ())):
            yield document, ("contents", "keys", place), f"{key}\0what was said"


def _check_once(places: Iterator[_Place], what: str, remedy: str) -> Iterator[Problem]:
    """Each text (before the null) may mean one thing (behind it)."""
    seen: dict[str, tuple[str, str]] = {}
    for document, path, pair in places:
        text, _, meaning = pair.partition("\0")
        first, where = seen.setdefault(text, (meaning, f"{document.name}:{document.line_of(path)}"))
        if first != meaning:
            yield document.problem(path, f"the {what} {text!r} is {meaning}, and at {where} {first}", remedy)
