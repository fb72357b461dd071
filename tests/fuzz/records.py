"""Random Kafka records: keys, headers and values of bytes that may be anything.

What must hold: no exception; a record that names a wanted ID under its key, in a header of an ID or in a field
of a JSON value is found, one that names another is not; nothing of a value but its IDs and its size is kept.
"""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace

from diag.sources.kafka.matching import RecordMatcher

KEYS = frozenset({"session_id", "sessionID", "session-id"})
WANTED, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601988_p07w2hhrk"
SAID = "whatwassaid"
_NOISE = (b"\x00", b"\xff", b'"', b"\\", b"{", b"}", b"null", b"NaN", b"1e999", b"\\u0000", b"[", b"\n")


def run_record_case(seed: int, number: int) -> str:
    """Run one case and say how it went: ``found``, ``not found``."""
    random = Random(f"records/{seed}/{number}")
    place = random.choice(("key", "header", "field", "nowhere"))
    named = random.choice((WANTED, OTHER))
    message, spoiled = _make(random, place, named)
    record = RecordMatcher(frozenset({WANTED}), KEYS).match(message)
    if not spoiled and place != "nowhere":
        assert (record is not None) == (named == WANTED), (place, named)
    if record is not None:
        assert record.size == len(message.value or b"")
        assert SAID not in repr(record)
    return "not found" if record is None else "found"


def _make(random: Random, place: str, named: str) -> tuple[SimpleNamespace, bool]:
    fields = {"text": SAID, "n": random.random()}
    if place == "field":
        fields[random.choice(sorted(KEYS))] = named
    value, spoiled = json.dumps(fields).encode(), random.random() < 0.4
    if spoiled:
        for _ in range(random.randint(1, 4)):
            at = random.randint(0, len(value))
            value = value[:at] + random.choice(_NOISE) + value[at + random.choice((0, 0, 2, 30)) :]
        value = value.replace(SAID.encode()[:4], b"")
    headers = [("trace", random.choice((None, b"", b"\xff\xfe", b"x" * 1000)))]
    if place == "header":
        headers.append((random.choice(sorted(KEYS)), named.encode()))
    key = named.encode() if place == "key" else random.choice((None, b"", b"\xff", OTHER.encode()))
    message = SimpleNamespace(
        topic="t",
        partition=0,
        offset=random.randrange(2**63),
        timestamp=random.choice((0, -1, 1_753_615_601_372, 2**62 // 10**6)),
        key=key,
        headers=headers,
        value=random.choice((None, b"", random.randbytes(50), value)) if place != "field" else value,
    )
    return message, spoiled
