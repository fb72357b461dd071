"""What stands under an ID's key: an ID stays exactly as it was seen, anything else is no ID."""

from __future__ import annotations

from functools import lru_cache

from diag.model.identifiers import LONGEST, LOST_TEXTS, IdKind, classify
from diag.normalise.redaction.keys import KeyKind
from diag.normalise.redaction.pseudonyms import NOT_SHOWN, PSEUDONYM, to_length
from diag.normalise.redaction.text import redact_text
from diag.normalise.redaction.values import to_stand_in

# The kinds whose grammar fixes every character; the others begin like an ID and may end like anything.
_LOOSE = frozenset({IdKind.TEST, IdKind.LOST, IdKind.MALFORMED})


@lru_cache(maxsize=16_384)
def redact_id(text: str) -> str:
    """`text` if it is an ID, even a lost or malformed one; a pseudonym for an e-mail, a token, a sentence."""
    try:
        return text if _is_exact(text) else _redact_other(text)
    except Exception:  # noqa: BLE001 - fails closed: what cannot be redacted is not shown
        return NOT_SHOWN


def _is_exact(text: str) -> bool:
    return text in LOST_TEXTS or PSEUDONYM.fullmatch(text) is not None or classify(text).kind not in _LOOSE


def _redact_other(text: str) -> str:
    if len(text) > LONGEST or len(text.split()) > 1:
        return to_length("not an ID", text)
    return redact_text(to_stand_in(KeyKind.PARTY, text))
