"""What stands in the place of something taken out.

A pseudonym has a kind, a length where that tells something, and six hex digits that are the same for the
same value, so that two occurrences can still be told to be one. 24 bits identify nobody: every phone
number shares its digits with hundreds of others. A secret has no digits: they would help to guess it.
"""

from __future__ import annotations

import re
from hashlib import blake2b

SECRET = "<secret>"  # noqa: S105 - the word that replaces one
NOT_SHOWN = "<not shown>"
"""Where redaction itself failed: better nothing than something unread."""

PSEUDONYM = re.compile(
    r"<(?:secret|not shown|(?:said|not an ID), \d+ characters, [0-9a-f]{6}"
    r"|(?:phone|e-mail|ip|mac|fingerprint|card|IBAN) [0-9a-f]{6})>"
)


def to_pseudonym(kind: str, value: str) -> str:
    """``<phone 1f2e3d>``."""
    return f"<{kind} {_digest(value)}>"


def to_length(kind: str, value: str) -> str:
    """``<said, 14 characters, 1f2e3d>``; nothing said stays nothing."""
    return f"<{kind}, {len(value)} characters, {_digest(value)}>" if value else ""


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=3).hexdigest()
