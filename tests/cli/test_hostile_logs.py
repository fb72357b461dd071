"""Logs that no service should write: bounded work, one answer, no traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cases import DEFAULTS, read_case_file
from tests.cli.conftest import CHECKS

S, B, W, T = (DEFAULTS[name] for name in "SBWT")
SICK = "id-mismatch/fires-joined-by-trace"
LONG = "session_" + "9" * 1_000_000

Entry = dict[str, Any]


def entry(number: int, message: str, *, at: Any = None, **fields: Any) -> Entry:
    return {
        "insertId": f"i{number:07d}",
        "timestamp": f"2025-07-27T11:{26 + number // 60 % 30}:{number % 60:02d}.500Z" if at is None else at,
        "logName": "projects/p/logs/stdout",
        "resource": {
            "labels": {"pod_name": "orchestrator-5c9b7f6d84-q8wzn", "container_name": "orchestrator"}
        },
        "jsonPayload": {"level": "info", "msg": message, **fields},
    }


def bind(number: int, session: Any, connection: str = W) -> Entry:
    return entry(number, "Received session info from frontend", connID=connection, sessionID=session)


def long_ids() -> list[Entry]:
    """IDs of a megabyte: under a key, in a text, as a trace."""
    return [
        bind(1, S),
        bind(2, LONG),
        bind(3, LONG + "a"),
        entry(4, f"for session: {LONG}"),
        bind(5, S, LONG),
    ]


def far_times() -> list[Entry]:
    """The years 1 and 9999, the ends of 64 bits, and no times at all."""
    times = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2262-04-11T23:47:16.854775807Z")
    odd = ("1677-09-21T00:12:43.145224192Z", "yesterday", 5, ["x"], {}, "")
    return [bind(0, S), *(entry(n, "line", at=at, sessionID=S) for n, at in enumerate((*times, *odd), 1))]


def cycles() -> list[Entry]:
    """Mappings in a ring, and against one another."""
    ids = [f"session_{1753615601372 + n}_aaaaaaaaa" for n in range(60)]
    text = "Created session mapping from WebSocket connection"
    ring = zip(ids, (*ids[1:], ids[0]), strict=True)
    both = [(one, S) for one in ids[:20]] + [(S, one) for one in ids[:20]]
    return [
        bind(0, S),
        *(
            entry(n, text, mediaSessionID=m, frontendSessionID=f)
            for n, (m, f) in enumerate((*ring, *both), 1)
        ),
    ]


def shared_by_thousands() -> list[Entry]:
    """One socket, one trace, one second, one random part."""
    ids = [S, *(f"session_{1753615601372 + n % 1000}_cz4gw0f{n:04d}" for n in range(3_000))]
    return [{**bind(n, one), "trace": f"projects/p/traces/{T}"} for n, one in enumerate(ids)]


def wrong_types() -> list[Any]:
    """Everything is something else than it should be."""
    return [
        {
            "insertId": 5,
            "timestamp": ["x"],
            "resource": "no",
            "labels": [1],
            "jsonPayload": {"msg": {"a": 1}},
        },
        {"jsonPayload": [1], "logName": "l"},
        {"textPayload": None, "logName": None, "resource": {"labels": "x"}},
        bind(1, S),
        entry(2, "Updated service state", sessionID=S, service=["stt"], state=7),
        entry(3, "Listening state updated", sessionID=S, isListening={}, level=[1], time={}),
        bind(4, {"x": 1}),
        bind(5, [S, 7, None]),
        [1, 2],
        5,
        "text",
        None,
    ]


@pytest.mark.parametrize("make", [long_ids, far_times, cycles, shared_by_thousands, wrong_types])
def test_such_logs_get_an_answer(diag, workdir: Path, make: Callable[[], list[Any]]) -> None:
    """About the session, and in the list of all; never a fault, and nothing of a megabyte is printed."""
    (workdir / "a.ndjson").write_text("".join(json.dumps(one) + "\n" for one in make()))

    for words in (("session", S), ("sessions",)):
        for output in ("terminal", "json"):
            done = diag(words[0], *words[1:], "a.ndjson", "-o", output)
            assert done.returncode in (0, 5, 11, 12), done.stderr
            assert S in done.stdout
            assert "Traceback" not in done.stderr
            assert max(map(len, done.stdout.splitlines())) < 20_000


def test_the_answer_does_not_depend_on_order_or_repetition(diag, workdir: Path) -> None:
    """Shuffled, and each line delivered twice: the same bytes but for what was read."""
    entries = list(read_case_file(CHECKS / f"{SICK}.case").entries)
    answers = set()
    for seed in range(3):
        shuffled = [*entries, *entries] if seed else entries
        random.Random(seed).shuffle(shuffled)
        (workdir / "a.ndjson").write_text("".join(json.dumps(one) + "\n" for one in shuffled))
        answer = json.loads(diag("session", S, "a.ndjson", "-o", "json").stdout)
        answers.add(json.dumps({**answer, "coverage": None}, sort_keys=True))

    assert len(answers) == 1
