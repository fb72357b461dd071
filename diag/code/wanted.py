"""Messages -> the texts that code would hold for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diag.catalogue import find_constants
from diag.model.catalogue import Catalogue, Meaning
from diag.model.code import CLAIMS, LogText

_QUOTED = re.compile(r"[\"'`\\\x00-\x1f]+")
# %s and %.2f; ${name} and {name}; <name>; ...
_VARIES = re.compile(rf"%[-+ #0-9.]*[a-zA-Z]|\$?\{{[^{{}}]*\}}|<[^<>]*>|\.\.\.|{_QUOTED.pattern}")


def to_text(message: str, service: str, catalogue: Catalogue) -> LogText:
    """What to look for, for a message that `service` logged."""
    found = catalogue.find(message, service)
    if found is None:
        constants = find_constants(message)
        pieces = (piece for constant in constants for piece in _QUOTED.split(constant))
        return LogText("...".join(constants), _keep(pieces), service, "unknown")
    return _of_meaning(found[0], service, is_fixed=message in catalogue.exact)


def to_known_texts(catalogue: Catalogue, services: Iterable[str]) -> Iterator[LogText]:
    """What is looked for whether the session has it or not.

    The lines that a report's statements on the code rest on, and those that name no session.
    """
    events = {event for named in CLAIMS.values() for event in named}
    fixed = [(one, True) for known in catalogue.exact.values() for one in known]
    varying = [(one, False) for _, one in catalogue.patterns]
    for meaning, is_fixed in (*fixed, *varying):
        if meaning.event in events or meaning.attributed:
            for service in (meaning.service,) if meaning.service else services:
                yield _of_meaning(meaning, service, is_fixed=is_fixed)


def _of_meaning(meaning: Meaning, service: str, *, is_fixed: bool) -> LogText:
    pieces = (_QUOTED if is_fixed else _VARIES).split(meaning.text)
    return LogText(meaning.text, _keep(pieces), service, meaning.event, meaning.code)


def _keep(pieces: Iterable[str]) -> tuple[str, ...]:
    return tuple(piece for piece in pieces if piece.strip())
