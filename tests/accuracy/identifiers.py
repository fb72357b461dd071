"""IDs as each platform mints them, and what becomes of them on the way. Written by hand from the reference."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from tests.accuracy.truth import (
    LOST_TEXTS,
    NS_PER_MS,
    NS_PER_S,
    REMINTED,
    STRINGIFIED,
    TRUNCATED,
    UNIT_CHANGED,
)

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TEST_PREFIXES = ("test_session", "direct_test", "long_test", "audio_test")


def _pick(rng: random.Random, letters: str, count: int) -> str:
    return "".join(rng.choice(letters) for _ in range(count))


def mint_frontend(rng: random.Random, clock_ns: int) -> str:
    """A browser's: milliseconds, and mostly nine characters of base 36."""
    length = rng.choices((9, 8, 7, 5), (90, 7, 2, 1))[0]
    return f"session_{clock_ns // NS_PER_MS}_{_pick(rng, _BASE36, length)}"


def mint_media(rng: random.Random, clock_ns: int) -> str:
    """The media server's: micro- or nanoseconds, and eight hex digits."""
    stamp = clock_ns if rng.random() < 0.7 else clock_ns // 1000
    return f"session_{stamp}_{_pick(rng, '0123456789abcdef', 8)}"


def mint_fallback(clock_ns: int) -> str:
    """The orchestrator's, when a client names none."""
    return f"session_{clock_ns}"


def mint_grpc(rng: random.Random, clock_ns: int) -> str:
    """The orchestrator's gRPC side's."""
    stamp = datetime.fromtimestamp(clock_ns // NS_PER_S, UTC)
    return f"{stamp:%Y%m%d%H%M%S}-{_pick(rng, _ALNUM, 8)}"


def mint_connection(clock_ns: int) -> str:
    """A WebSocket's."""
    return f"ws_{clock_ns}"


def mint_test(rng: random.Random, clock_ns: int) -> str:
    """A test client's."""
    if rng.random() < 0.15:
        return f"analysis_session_{clock_ns // NS_PER_S}{rng.choice(('', '_a1'))}"
    return f"{rng.choice(_TEST_PREFIXES)}_{clock_ns // NS_PER_MS}_{_pick(rng, _BASE36, 9)}"


def mint_trace(rng: random.Random) -> str:
    """A trace's: 32 hex digits."""
    return f"{rng.getrandbits(128) | 1 << 120:032x}"


def mint_turn(rng: random.Random) -> str:
    """A turn's, which the fixed profile gives."""
    return f"turn_{_pick(rng, '0123456789abcdef', 8)}"


def spoil(rng: random.Random, text: str, kind: str) -> str:
    """What a frontend's ID becomes by a kind of loss; never `text` itself."""
    prefix, stamp, tail = text.rsplit("_", 2)
    match kind:
        case _ if kind == REMINTED:
            return f"{prefix}_{int(stamp) + rng.randint(0, 4)}_{_pick(rng, _BASE36, 9)}"
        case _ if kind == TRUNCATED:
            return text[: -rng.randint(1, len(tail) - 1)]
        case _ if kind == STRINGIFIED:
            return rng.choices(LOST_TEXTS, (60, 25, 5, 10))[0]
        case _ if kind == UNIT_CHANGED:
            return f"{prefix}_{stamp}{'000' * rng.choice((1, 2))}_{tail}"
    raise ValueError(kind)
