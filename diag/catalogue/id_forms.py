"""What IDs look like: whether a value may be one, and a regular expression for several of a kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from diag.model.identifiers import IdKind, classify

_SHAPE = re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9_.:@/-]{5,199}")
_NUMBER = re.compile(r"[\d.,:+-]+(?:[A-Za-z%]{1,3})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT.*|\d{4}/\d\d/\d\d.*")
_WORDY = re.compile(r"[A-Za-z]+(?:[-_./:][A-Za-z]+)*(?:[-_./:]?\d{1,3})?(?:[-_./:][A-Za-z]+)*")
_POD = re.compile(r"[a-z0-9-]+-[a-f0-9]{6,10}-[a-z0-9]{5}")
_LEAD = re.compile(r"[A-Za-z]+[-_:.]|[A-Z]{2,4}(?![A-Z])")
_CLASSES = ("0-9", "0-9a-f", "0-9A-F", "0-9a-z", "0-9A-Z", "0-9A-Za-z")
_SEPARATORS = "_.:@/-"


def looks_like_id(value: str, *, named: bool) -> bool:
    """Whether `value` may be an ID; `named` says that its key is called like one, so a number may be."""
    if classify(value).kind not in (IdKind.MALFORMED, IdKind.LOST):
        return True
    if not _SHAPE.fullmatch(value) or _TIME.fullmatch(value) or _POD.fullmatch(value):
        return False
    if _NUMBER.fullmatch(value):
        return named and value.isdigit()
    return _WORDY.fullmatch(value) is None or named


def describe_form(values: Sequence[str]) -> str:
    """A regular expression for IDs like `values`: what they begin with, their characters, their lengths."""
    lead = _lead_of(values)
    rests = [value[len(lead) :] for value in values]
    used = set("".join(rests))
    letters = "".join(sorted(used - set(_SEPARATORS)))
    allowed = next((one for one in _CLASSES if re.fullmatch(f"[{one}]*", letters)), "0-9A-Za-z")
    marks = "".join(mark for mark in _SEPARATORS if mark in used)
    shortest, longest = min(map(len, rests)), max(map(len, rests))
    count = f"{{{shortest}}}" if shortest == longest else f"{{{shortest},{longest}}}"
    return f"{re.escape(lead)}[{allowed}{marks}]{count}".replace("\\-", "-")


def _lead_of(values: Sequence[str]) -> str:
    """Letters that all values begin with, up to where they begin to tell: ``CA``, ``conv-``."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(min(values), max(values), strict=False))
    found = _LEAD.match("".join(char for char, _ in same))
    return found[0] if found and len(found[0]) < min(map(len, values)) else ""
