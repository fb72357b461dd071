"""Kinds of identifiers and their grammars: the only place that knows what an ID looks like.

The grammars are those of the reference system: a browser mints ``session_<13 digits ms>_<base 36>``,
the media server ``session_<16 digits us or 19 digits ns>_<hex>``, the orchestrator falls back to
``session_<19 digits ns>``, its gRPC side mints ``YYYYMMDDhhmmss-<8>``, and each WebSocket connection
is ``ws_<19 digits ns>``. The number of digits gives the unit of the time inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from diag.model.instants import NS_PER_MS, NS_PER_S, NS_PER_US, parse_instant

LONGEST = 256
"""Characters beyond which a text is no identifier of any service."""


class IdKind(StrEnum):
    """What minted an ID, as far as its form tells."""

    FRONTEND = "frontend"
    MEDIA = "media"
    FALLBACK = "orchestrator fallback"
    GRPC = "gRPC"
    TEST = "test"
    CONNECTION = "connection"
    CONVERSATION = "conversation"
    TURN = "turn"
    TRACE = "trace"
    OWN = "own form"  # a session's, by a form that the user's catalogue gives
    LOST = "lost"
    MALFORMED = "malformed"


SESSION_KINDS = frozenset(
    {
        IdKind.FRONTEND, IdKind.MEDIA, IdKind.FALLBACK, IdKind.GRPC, IdKind.TEST, IdKind.OWN,
        IdKind.MALFORMED,
    }
)  # fmt: skip
"""The kinds that name a session; all but `MALFORMED` have a known grammar."""

UNIT_BY_DIGITS = {10: ("s", NS_PER_S), 13: ("ms", NS_PER_MS), 16: ("us", NS_PER_US), 19: ("ns", 1)}
"""What a count since 1970 counts, told by how long it is: the unit's name, and its nanoseconds."""

LOST_TEXTS = frozenset({"", "undefined", "null", "NaN", "None", "<nil>", "[object Object]"})
_LOST_PREFIXES = ("session_undefined_", "session_NaN_", "session_null_")
_TEST_PREFIXES = ("test_session_", "direct_test_", "long_test_", "audio_test_", "analysis_session_")
_TEST_TEXTS = frozenset({"test_session", "session_123", "test-session-123", "test-stream-session"})

_GRAMMARS = (
    (IdKind.FRONTEND, re.compile(r"session_([0-9]{13})_[0-9a-z]{1,9}")),
    (IdKind.MEDIA, re.compile(r"session_([0-9]{16}|[0-9]{19})_[0-9a-f]{8,16}")),
    (IdKind.FALLBACK, re.compile(r"session_([0-9]{19})")),
    (IdKind.GRPC, re.compile(r"([0-9]{14})-[A-Za-z0-9]{8}")),
    (IdKind.CONNECTION, re.compile(r"ws_([0-9]{19})")),
    (IdKind.CONVERSATION, re.compile(r"conv_([0-9]{10})")),
    (IdKind.TURN, re.compile(r"turn_[0-9a-f]{8}")),
    (IdKind.TRACE, re.compile(r"[0-9a-f]{32}")),
)
_TIMED = re.compile(r"[a-z_]*_([0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})(?:_.*)?", re.DOTALL)
_STAMPED = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")

# An ID inside a text stands alone: "test_session_1..." holds no "session_1...".
_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9_-])"
    r"(session_(?:[0-9]{10,19}|undefined|NaN)(?:_[0-9A-Za-z]{1,16})?|ws_[0-9]{19}|[0-9]{14}-[A-Za-z0-9]{8})"
    r"(?![A-Za-z0-9_-])"
)
_NAMED_IN_TEXT = re.compile(r"""\bfor session: *["'\\]*(\[object Object\]|[^\s"'\\]*)""")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An ID as it was seen, with what its form tells.

    Attributes:
        text: exactly as seen.
        kind: by grammar.
        minted_ns: the time inside it, None where it has none.
        unit: of that time: ``s``, ``ms``, ``us``, ``ns`` or ``""``.
    """

    text: str
    kind: IdKind
    minted_ns: int | None = None
    unit: str = ""

    @property
    def names_session(self) -> bool:
        """Whether this can be a session's ID."""
        return self.kind in SESSION_KINDS


def classify(text: str) -> Identifier:
    """What `text` is, judged by its form alone; every text has a kind."""
    if len(text) > LONGEST:
        return Identifier(text, IdKind.LOST if is_lost(text) else IdKind.MALFORMED)
    return _classify(text)


@lru_cache(maxsize=65_536)
def _classify(text: str) -> Identifier:
    """The same ID is asked about many times in a run."""
    if is_lost(text):
        return Identifier(text, IdKind.LOST)
    if text in _TEST_TEXTS or text.startswith(_TEST_PREFIXES):
        return _timed(text, IdKind.TEST)
    kind = next((kind for kind, grammar in _GRAMMARS if grammar.fullmatch(text)), IdKind.MALFORMED)
    return _timed(text, kind)


def _timed(text: str, kind: IdKind) -> Identifier:
    if kind is IdKind.GRPC:
        stamp = _STAMPED.match(text)
        minted = parse_instant("{}-{}-{}T{}:{}:{}Z".format(*stamp.groups())) if stamp else None
        return Identifier(
            text, kind if minted is not None else IdKind.MALFORMED, minted, "s" if minted else ""
        )
    match = _TIMED.fullmatch(text)
    if match is None:
        return Identifier(text, kind)
    unit, factor = UNIT_BY_DIGITS[len(match[1])]
    return Identifier(text, kind, int(match[1]) * factor, unit)


def is_lost(text: str) -> bool:
    """Whether `text` is what an ID becomes when it was never there: ``undefined``, ``null``, empty."""
    return text in LOST_TEXTS or text.startswith(_LOST_PREFIXES)


def find_in_text(text: str) -> tuple[str, ...]:
    """IDs that stand inside a free text, in order, each once."""
    if "session" not in text and "ws_" not in text:
        return ()
    found = [match[1] for match in _IN_TEXT.finditer(text)]
    named = _NAMED_IN_TEXT.search(text)
    if named is not None:
        found.append(named[1].rstrip(".,;)\"'"))
    return tuple(dict.fromkeys(found))


def trace_id_of(text: str) -> str | None:
    """The 32 hex digits of a trace, from its ID, ``projects/P/traces/ID`` or a W3C traceparent."""
    tail = text.rsplit("/", 1)[-1].strip().lower()
    parent = _TRACEPARENT.fullmatch(tail)
    trace = parent[1] if parent else tail
    return trace if re.fullmatch(r"[0-9a-f]{32}", trace) and set(trace) != {"0"} else None
