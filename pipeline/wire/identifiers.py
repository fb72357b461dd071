"""Session identifiers: minted with a cryptographic source, checked before they are believed.

Form: ``session_{timestamp}_{random}``. The unit of the timestamp follows from its number of digits
(10 s, 13 ms, 16 us, 19 ns), so that a browser's millisecond ID and a server's microsecond ID are
judged by the same rule.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass

SESSION_PREFIX = "session_"
TURN_PREFIX = "turn_"
OLDEST_S = 365 * 24 * 3600
FUTURE_S = 60

# digits of the timestamp -> nanoseconds per unit
_UNIT_NS = {10: 1_000_000_000, 13: 1_000_000, 16: 1_000, 19: 1}
_SESSION = re.compile(r"session_([0-9]+)_([0-9A-Za-z]+)")
_TURN = re.compile(r"turn_[0-9a-f]{8}")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an ID was not believed, in words for the log and the client."""

    reason: str


def mint_session_id(now_ns: int | None = None) -> str:
    """A new session ID: microseconds since the epoch and 32 random bits in hex."""
    micros = (time.time_ns() if now_ns is None else now_ns) // 1_000
    return f"{SESSION_PREFIX}{micros:016d}_{secrets.token_hex(4)}"


def mint_connection_id(now_ns: int | None = None) -> str:
    """A new WebSocket connection ID: ``ws_`` and nanoseconds since the epoch."""
    return f"ws_{time.time_ns() if now_ns is None else now_ns:019d}"


def derive_turn_id(session_id: str, partition: int, offset: int) -> str:
    """The ID of the turn whose speech begins at this record: ``turn_`` and 32 bits in hex.

    It is derived, not drawn: whoever reads the same speech again, after a crash or on another
    replica, works on the same turn, and what was delivered of it can be told from what is new.
    """
    digest = hashlib.sha256(f"{session_id}/{partition}/{offset}".encode()).hexdigest()
    return f"{TURN_PREFIX}{digest[:8]}"


def is_turn_id(text: str) -> bool:
    """Whether `text` is of the form that `derive_turn_id` gives."""
    return _TURN.fullmatch(text) is not None


def escape_for_log(text: str, limit: int = 80) -> str:
    """What a client sent where an ID belongs, fit for a line: cut, and nothing but printable characters."""
    cut = text[:limit]
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)[:limit]


def check_session_id(text: str, now_ns: int | None = None) -> Refusal | None:
    """None if `text` is a session ID that a client may bring, else why not.

    Accepted: the form above, a known number of digits, a time from one year ago to 60 s ahead,
    a random part of 3 to 16 characters.
    """
    if len(text) > _LONGEST:
        return Refusal(f"longer than {_LONGEST} characters")
    match = _SESSION.fullmatch(text)
    if match is None:
        return Refusal("not of the form session_{timestamp}_{random}")
    digits, random_part = match.groups()
    unit_ns = _UNIT_NS.get(len(digits))
    if unit_ns is None:
        return Refusal(f"timestamp of {len(digits)} digits is in no known unit")
    now = time.time_ns() if now_ns is None else now_ns
    age_s = (now - int(digits) * unit_ns) / 1e9
    if not -FUTURE_S <= age_s <= OLDEST_S:
        return Refusal("timestamp is not within the last year")
    if not 3 <= len(random_part) <= 16:
        return Refusal(f"random part of {len(random_part)} characters")
    return None
