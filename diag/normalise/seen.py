"""Records -> lines as learning sees them: redacted, and with a service's name that nobody knows yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diag.model.catalogue import Catalogue
from diag.model.proposal import SeenLine
from diag.model.records import LogRecord
from diag.normalise.draft import Draft
from diag.normalise.redaction import redact_text
from diag.normalise.redaction.keys import KeyKind, kind_of_key
from diag.normalise.services import ServiceNames, hints_of_origin
from diag.normalise.shapes import read_record

_DEEPEST = 4
_POD_TAIL = re.compile(r"-[a-f0-9]{6,10}-[a-z0-9]{5}$")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,62}")
_NAMELESS = "my-service"


def see_lines(records: Iterable[LogRecord], catalogue: Catalogue) -> Iterator[SeenLine]:
    """One line per record, in the order given."""
    names = ServiceNames(catalogue)
    for record in records:
        draft = read_record(record)
        yield SeenLine(
            service=_name_service(draft, record.origin, names),
            message=redact_text(draft.message),
            values=tuple(_flatten(draft.payload, "", catalogue, _DEEPEST)),
            readable=not draft.unparsed,
        )


def _name_service(draft: Draft, origin: str, names: ServiceNames) -> str:
    """The catalogue's name; else the container's, the line's own, or the file's."""
    _, file_name = hints_of_origin(origin)
    if draft.name_hints and not names.resolve(*draft.name_hints, file_name):
        known = ""  # a service of that name is unknown, whoever else writes the same words
    else:
        known = names.of_line(draft, file_name)
    hints = (*draft.name_hints, "" if file_name == "stdin" else file_name)
    return known or next(
        (name for hint in hints if (name := _POD_TAIL.sub("", hint)) and _NAME.fullmatch(name)), _NAMELESS
    )


def _flatten(
    fields: Mapping[str, Any], path: str, catalogue: Catalogue, depth: int
) -> Iterator[tuple[str, str]]:
    for key, value in fields.items():
        if kind_of_key(key, catalogue.content_keys) is not KeyKind.PLAIN or not _is_plain(key):
            continue
        if isinstance(value, dict) and depth > 0:
            yield from _flatten(value, f"{path}{key}.", catalogue, depth - 1)
        elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            yield f"{path}{key}", str(value)


def _is_plain(key: str) -> bool:
    """A key that a filter and a catalogue can name as it is."""
    return re.fullmatch(r"[A-Za-z_@][\w@/-]{0,62}", key, re.ASCII) is not None
