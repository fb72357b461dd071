"""A settings file as it was read, with the line of each setting."""

from __future__ import annotations

from dataclasses import replace

from diag.catalogue.document import Document, read_document

_REMEDY = "settings are TOML; diag config init writes a file to begin with"


def read_settings_document(file: str) -> Document:
    """The settings file with its lines; what hinders stands in it, nothing is raised."""
    document = read_document(file)
    problem = document.unreadable
    if problem is None or problem.text.startswith("no TOML"):
        return document
    return replace(document, unreadable=replace(problem, remedy=_REMEDY))  # not what a catalogue needs
