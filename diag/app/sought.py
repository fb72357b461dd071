"""A text that sessions are sought by: what can be sought, and what is said where nothing has it.

The text is never repeated in an answer: it may be the very thing that redaction keeps out of reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diag.app.many.matching import normalise
from diag.errors import UsageError
from diag.normalise import LONGEST_TEXT, redact_text

FOUND_BY = "found by TEXT"

_ADDRESS = re.compile(r"\S*@[\w.-]*")
_NUMBER = re.compile(r"\+?[\d ()./-]{7,25}")
_NEVER_SPOKEN = re.compile(r"[_=:/{}\[\]<>@#|\\]|^\S*\d\S*$")
"""What stands in IDs, names and lines of programs; a single word with a digit is one of these."""


def check_sought(text: str | None) -> None:
    """Refuse what no line can have; raises `UsageError`."""
    if text is None:
        return
    if not normalise(text):
        raise UsageError("TEXT is empty", hint="give a piece of an ID, of a pod's name or of a line")
    if len(text) > LONGEST_TEXT:
        raise UsageError(
            f"TEXT has {len(text)} characters, and of a text in a line {LONGEST_TEXT} are kept",
            hint="give a piece of it",
        )


def explain_unfound(text: str, seen: int) -> tuple[str, ...]:
    """What was searched in vain, and why `text` may be in the logs for all that."""
    return tuple(_explain(text, seen))


def _explain(text: str, seen: int) -> Iterator[str]:
    sessions = f"{seen} session{'' if seen == 1 else 's'}"
    yield (
        f"Searched: IDs, pods, messages and field values of the {sessions} of the window. "
        "Lines that name no session were not searched."
    )
    kind = _kind_of_replaced(" ".join(text.split()))
    if kind:
        yield f"TEXT may be {kind}: such are replaced and can not be found."


def _kind_of_replaced(text: str) -> str:
    """What `text` may be that was replaced in every line; empty if it looks like nothing of that kind."""
    if _ADDRESS.fullmatch(text):
        return "an e-mail address"
    if _NUMBER.fullmatch(text):
        return "a phone number"
    if redact_text(text) != text:
        return "a secret or personal data"
    spoken = any(map(str.isalpha, text)) and not _NEVER_SPOKEN.search(text)
    return "words that were spoken" if spoken else ""
