"""Whole sessions as each era of the reference system writes them: healthy and sick, told apart and in order."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diag.model.diagnosis import Diagnosis
from tests.cases import Case, diagnose, read_case_file

CASES = sorted((Path(__file__).parents[3] / "eras").glob("*.case"))
SHUFFLES = 3


def whole_seconds(entry: dict[str, Any]) -> dict[str, Any]:
    """The orchestrator's logger knows no fractions, and insert IDs are drawn at random."""
    if entry["resource"]["labels"]["container_name"] != "orchestrator":
        return entry
    drawn = random.Random(entry["insertId"]).randbytes(6).hex()
    return {**entry, "timestamp": f"{entry['timestamp'][:19]}Z", "insertId": drawn}


def judged(diagnosis: Diagnosis) -> tuple[str, str, list[str]]:
    """Status, cause, and what came of each turn."""
    cause = diagnosis.verdict.cause
    turns = [turn.outcome.value for turn in diagnosis.session.turns]
    return diagnosis.verdict.status.value, cause.slug if cause else "", turns


def expected(case: Case) -> tuple[str, str, list[str]]:
    """The same, by the head of the case."""
    turns = [] if case.head["turns"] == "none" else case.head["turns"].split(", ")
    return case.head["status"], case.head.get("cause", ""), turns


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_session_of_each_era_is_judged_for_what_it_is(path: Path) -> None:
    """Verdict, cause and turns."""
    case = read_case_file(path)

    assert judged(diagnose(case)) == expected(case)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_its_lines_come_out_as_they_were_written(path: Path) -> None:
    """In whatever order they are read; lines that name nothing of the session are not its own."""
    case = read_case_file(path)
    written = [entry["insertId"] for entry in case.entries]
    mixed = list(case.entries)
    random.Random(path.stem).shuffle(mixed)
    events = diagnose(replace(case, entries=tuple(mixed))).session.events
    shown = [event.entry.insert_id for event in events]

    assert len(shown) > len(written) // 2
    assert shown == [one for one in written if one in set(shown)]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_whole_seconds_and_any_order_of_reading_do_not_change_the_judgement(path: Path) -> None:
    """As the orchestrator of eras A and B writes them, a second's lines sorted by chance."""
    case = read_case_file(path)
    entries = [whole_seconds(entry) for entry in case.entries]
    for seed in range(SHUFFLES):
        random.Random(seed).shuffle(entries)

        assert judged(diagnose(replace(case, entries=tuple(entries)))) == expected(case)
