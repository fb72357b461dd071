"""Lines without an ID, put beside a session that is judged already: no check can know them."""

from __future__ import annotations

from dataclasses import replace

from diag.model.diagnosis import Diagnosis
from diag.session.attribution import find_attributed
from diag.session.select import EventFinder


def attribute_lines(diagnosis: Diagnosis, finder: EventFinder, *, sees_others: bool = True) -> Diagnosis:
    """The same diagnosis, its session with the lines that are taken for its own.

    `sees_others`: what other sessions did was read as well; else all of them are ambiguous.
    """
    lines, left = find_attributed(diagnosis.session, finder, sees_others=sees_others)
    return replace(diagnosis, session=replace(diagnosis.session, attributed=lines, not_attributed=left))
