"""Random log entries in their JSON form, sane ones and others."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.fuzz.trees import NAMES, VALUES

TIMES = (
    "2026-11-23T08:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T08:00:00.5Z", "1970-01-01T00:00:00Z",
    "2030-01-01T00:00:00.123456789+02:00", "2026-11-23T00:00:00.000000001Z", "2026-11-22T23:59:59.999999999Z",
    "2026-11-23T08:00:00.500000001Z", "2026-11-23T08:00:00.499999999Z",
)  # fmt: skip
SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 5, -1, 8.5, 1e300, float("nan"), float("inf"), 10**30, 2**63, "2026-11-23T08:00:00Z", "10.1.2.3",
)  # fmt: skip


def make_entry(random: Random) -> dict[str, Any]:
    """An entry; one in ten has values where the service would never put them."""
    odd = random.random() < 0.1
    entry: dict[str, Any] = {"timestamp": random.choice(TIMES), "jsonPayload": _object(random, 3)}
    for name, values in _FIELDS.items():
        if random.random() < 0.5:
            entry[name] = _value(random, 2) if odd else random.choice(values)
    if random.random() < 0.5:
        entry["labels"] = {random.choice(NAMES): random.choice(VALUES) for _ in range(3)}
    if random.random() < 0.3:
        entry["protoPayload"] = _object(random, 2)
    if random.random() < 0.3:
        entry["httpRequest"] = {
            "status": random.choice((200, 404)),
            "latency": "1.5s",
            "responseSize": "9" * 18,
        }
    return entry


_FIELDS: dict[str, tuple[Any, ...]] = {
    "severity": ("INFO", "ERROR", "DEFAULT"),
    "insertId": ("a", "abc-1", "x"),
    "textPayload": VALUES,
    "logName": ("projects/p/logs/stdout", "projects/p/logs/a%2Fb"),
    "trace": ("", "projects/p/traces/1"),
    "traceSampled": (True, False),
    "resource": ({"type": "a", "labels": {"a": "x"}}, {"labels": {}}, {}),
    "receiveTimestamp": TIMES,
    "errorGroups": ([{"id": "a"}, {"id": "x"}], []),
}


def _object(random: Random, depth: int) -> dict[str, Any]:
    return {random.choice(NAMES): _value(random, depth - 1) for _ in range(random.randint(0, 4))}


def _value(random: Random, depth: int) -> Any:
    kind = random.random()
    if depth > 0 and kind < 0.25:
        return _object(random, depth)
    if depth > 0 and kind < 0.4:
        return [_value(random, depth - 1) for _ in range(random.randint(0, 3))]
    return random.choice(VALUES) if kind < 0.7 else random.choice(SCALARS)
