"""Input that nobody should write: some answer, the same one in any order, in bounded work.

The values of real cases are replaced by something else, in each shape in which an entry may come and in
each layout of a file, and go the whole way: from the bytes of a file to every form of output.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.catalogue import load_catalogue
from diag.model.diagnosis import NothingFound
from diag.model.settings import Settings
from diag.normalise import join_frames, to_frame
from diag.render.json_v1 import render_json, render_nothing_json
from diag.render.markdown import render_markdown
from diag.render.sessions import render_overview
from diag.render.sessions_v1 import render_overview_json
from diag.render.terminal import render_terminal
from diag.render.terminal_nothing import render_nothing
from diag.session import select
from diag.session.identity.links import close_over
from diag.session.identity.rules import MOST_IDS
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, START_NS, read_case, read_case_file, to_records

ROOT = Path(__file__).parents[1]
CASES = sorted((*(ROOT / "checks").glob("*/*.case"), *(ROOT / "eras").glob("*.case")))
NOW_NS = START_NS + 10**15

ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 7, 0.1, -0.0, 1e308, float("inf"), float("nan"), 10**30, -(10**30), 2**63,
    "", " ", "undefined", "x" * 2_000, "\x00", "\x1b[31m", "\ud800", "[object Object]", "<b>", "|`\n#", "{}",
    [], [[]], {}, {"": ""}, {"a": {"a": {}}}, [None, 1, "x", {}], ["x"] * 50, "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2025-02-30T25:61:61Z", 253402300799, "{", '{"session_id": 5}', '{"msg": {"a": 1}}',
    DEFAULTS["S"], DEFAULTS["T"], DEFAULTS["W"], [DEFAULTS["S"], DEFAULTS["B"]], "projects//traces/",
)  # fmt: skip
"""Every JSON type, the ends of each, texts that mean something to somebody, and IDs where they do not belong."""

Entry = dict[str, Any]


def by_name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def spoil(value: Any, chance: random.Random, how_much: float) -> Any:
    """Some of what is inside of it is something else."""
    if isinstance(value, dict):
        return {key: _replaced(one, chance, how_much) for key, one in value.items()}
    return [_replaced(one, chance, how_much) for one in value] if isinstance(value, list) else value


def _replaced(value: Any, chance: random.Random, how_much: float) -> Any:
    return chance.choice(ODD) if chance.random() < how_much else spoil(value, chance, how_much)


def _as_text(entry: Entry) -> Entry:
    return {**entry, "textPayload": json.dumps(entry.pop("jsonPayload", "")), "jsonPayload": None}


def _as_snake(entry: Entry) -> Entry:
    names = {
        "jsonPayload": "json_payload", "textPayload": "text_payload", "insertId": "insert_id",
        "logName": "log_name", "receiveTimestamp": "receive_timestamp",
    }  # fmt: skip
    return {names.get(name, name): value for name, value in entry.items()}


def _as_proto(entry: Entry) -> Entry:
    return {**_without_payload(entry), "protoPayload": {"methodName": entry.get("jsonPayload")}}


def _without_payload(entry: Entry) -> Entry:
    return {name: value for name, value in entry.items() if name not in ("jsonPayload", "textPayload")}


def _as_own_line(entry: Entry) -> Any:
    payload = entry.get("jsonPayload")
    return {"time": entry.get("timestamp"), **payload} if isinstance(payload, dict) else payload


def _as_docker(entry: Entry) -> Entry:
    return {"log": json.dumps(entry.get("jsonPayload")), "stream": "stderr", "time": entry.get("timestamp")}


def _as_cri(entry: Entry) -> str:
    return f"{entry.get('timestamp')} stderr F {json.dumps(entry.get('jsonPayload'))}"


def _as_kubectl(entry: Entry) -> str:
    return f"[pod/orchestrator-5c9b7f6d84-q8wzn/orchestrator] {_as_cri(entry)}"


SHAPES: dict[str, Callable[[Entry], Any]] = {
    "entry": lambda entry: entry,
    "snake": _as_snake,
    "text": _as_text,
    "proto": _as_proto,
    "own": _as_own_line,
    "docker": _as_docker,
    "cri": _as_cri,
    "kubectl": _as_kubectl,
}


def to_lines(entries: Sequence[Any]) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in entries)


LAYOUTS: dict[str, Callable[[Sequence[Any]], str]] = {
    "lines": to_lines,
    "array": json.dumps,
    "indented": lambda entries: "\n".join(json.dumps(one, indent=1) for one in entries),
}


async def answer(asked: str, path: Path) -> str:
    """What diag says of a session and of all, in every form of output."""
    settings = Settings()
    found = await diagnose_session(
        SessionRequest(asked=asked, settings=settings, now_ns=NOW_NS, files=(str(path),), ask_kafka=False)
    )
    overview = await list_sessions(
        SessionsRequest(settings=settings, now_ns=NOW_NS, files=(str(path),), ask_kafka=False)
    )
    texts = [render_overview_json(overview), render_overview(overview).plain]
    if isinstance(found, NothingFound):
        return "".join((render_nothing_json(found), render_nothing(found).plain, *texts))
    return "".join((render_json(found), render_terminal(found).plain, render_markdown(found), *texts))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("path", CASES[::6], ids=by_name)
async def test_values_of_any_type_anywhere_get_an_answer(path: Path, shape: str, tmp_path: Path) -> None:
    """In every form of output, whatever stands where something else was expected."""
    case, chance = read_case_file(path), random.Random(f"{path.stem} {shape}")
    entries: list[Any] = [SHAPES[shape](dict(entry)) for entry in case.entries]
    for entry in case.entries:
        shaped = SHAPES[shape](spoil(entry, chance, chance.choice((0.05, 0.3, 0.8))))
        entries.append(spoil(shaped, chance, 0.1))
    entries += ODD
    text = LAYOUTS[chance.choice([*LAYOUTS])](entries)
    (tmp_path / "a.json").write_bytes(text.encode("utf-8", "surrogatepass"))

    said = await answer(case.asked, tmp_path / "a.json")

    assert len(said) < 100 * len(text) + 100_000
    assert "\x1b" not in said


@pytest.mark.parametrize("path", CASES[1::4], ids=by_name)
async def test_of_bad_input_the_order_of_reading_decides_nothing(path: Path, tmp_path: Path) -> None:
    """Where lines have IDs of their own to be told apart by."""
    case, chance = read_case_file(path), random.Random(path.stem)
    bad = [spoil(entry, chance, 0.1) for entry in case.entries]
    start = case.entries[0]["timestamp"][:17]
    numbered = [
        {**entry, "insertId": f"n{n:05d}", "timestamp": f"{start}{n % 60:02d}Z"}
        for n, entry in enumerate((*case.entries, *bad))
    ]
    said = set()
    for seed in range(3):
        random.Random(seed).shuffle(numbered)
        (tmp_path / "a.json").write_text(json.dumps(numbered))
        said.add(await answer(case.asked, tmp_path / "a.json"))

    assert len(said) == 1


def test_mappings_without_end_are_followed_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain in which each ID leads to the next: the search gives up, and does not look at every one."""
    ids = [f"session_{1753615601372 + n}_{n:09d}" for n in range(3 * MOST_IDS)]
    chain = [
        f"00:{n % 60:02d}.000 orchestrator info Found existing session mapping "
        f":: mediaSessionID={one} frontendSessionID={other} connID=ws_{1753615602114220410 + n}"
        for n, (one, other) in enumerate(pairwise(ids))
    ]
    catalogue, records = load_catalogue(), to_records(read_case("\n".join(chain)).entries)
    finder = EventFinder(join_frames([to_frame(records, catalogue)]), catalogue)
    asked: list[int] = []
    mentioning = select.EventFinder.mentioning

    def counted(self: EventFinder, wanted: frozenset[str]) -> Any:
        asked.append(len(wanted))
        return mentioning(self, wanted)

    monkeypatch.setattr(select.EventFinder, "mentioning", counted)
    closure = close_over(ids[0], finder)

    assert ids[0] in closure.members
    assert max(asked) <= MOST_IDS
    assert len(asked) <= 2 * MOST_IDS
