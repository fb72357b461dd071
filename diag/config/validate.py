"""Are settings right? Every fault at once, each with its line, by the same judgement as at loading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from diag.catalogue.document import Document
from diag.config.kafka import refuse_secrets
from diag.config.load import ENVIRONMENT, apply, read_environment
from diag.errors import SettingsError
from diag.model.catalogue_report import Problem
from diag.model.settings import Settings


def check_document(document: Document) -> Iterator[Problem]:
    """What is wrong in a settings file."""
    if document.unreadable is not None:
        yield document.unreadable
    for path, value in list_values(document).items():
        yield from _check({".".join(path): value}, document.name, document.line_of(path))


def list_values(document: Document) -> dict[tuple[str, ...], Any]:
    """Table and key -> value, known or not; what is no table, or a table of nothing, under its own name."""
    values: dict[tuple[str, ...], Any] = {}
    for group, rows in document.table.items():
        if not isinstance(rows, dict) or (not rows and not hasattr(Settings(), group)):
            values[group,] = rows
        else:
            values |= {(group, key): value for key, value in rows.items()}
    return values


def check_environment(environment: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong in the variables."""
    for variable, value in environment.items():
        try:
            values = read_environment({variable: value})
        except SettingsError as error:
            yield _to_problem(error, ENVIRONMENT, 0)
        else:
            yield from _check(values, ENVIRONMENT, 0, f" to {variable}")


def _check(values: Mapping[str, Any], place: str, line: int, named: str = "") -> Iterator[Problem]:
    try:
        if place != ENVIRONMENT:
            refuse_secrets(values, place)
        apply(Settings(), values, place)
    except SettingsError as error:
        yield replace(_to_problem(error, place, line), remedy=error.hint or f"give another value{named}")


def _to_problem(error: SettingsError, place: str, line: int) -> Problem:
    return Problem(place, line, str(error).removeprefix(f"{place}: "), error.hint)
