"""A free text without secrets and personal data."""

from __future__ import annotations

from diag.normalise.redaction.keyed import redact_keyed
from diag.normalise.redaction.patterns import redact_forms
from diag.normalise.redaction.pseudonyms import NOT_SHOWN

LONGEST_TEXT = 2_000
_EDGE = 300
"""Read beyond the cut, so that what straddles it is known; longer forms are known without their end."""


def redact_text(text: str, content_keys: frozenset[str] = frozenset()) -> str:
    """`text` without what was said, secrets and personal data, cut if very long."""
    try:
        return _redact(text, content_keys) if len(text) <= LONGEST_TEXT else _cut(text, content_keys)
    except Exception:  # noqa: BLE001 - fails closed: what cannot be redacted is not shown
        return NOT_SHOWN


def _redact(text: str, content_keys: frozenset[str]) -> str:
    if ":" in text or "=" in text:
        text = redact_keyed(text, content_keys)
    return redact_forms(text)


def _cut(text: str, content_keys: frozenset[str]) -> str:
    """The beginning; half a secret at the end of what was read was not replaced, so that end goes."""
    shown = _redact(text[: LONGEST_TEXT + _EDGE], content_keys)
    if len(text) > LONGEST_TEXT + _EDGE:
        shown = shown[:-_EDGE]
    return f"{shown[:LONGEST_TEXT]} ... ({len(text)} characters)"
