"""What must hold for every session: the order of reading and the ID that is asked for decide nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diag.catalogue import load_catalogue
from diag.model.catalogue import Catalogue
from diag.render.json_v1 import render_json
from tests import cases
from tests.cases import Case, diagnose, read_case_file

CASES = sorted(
    (
        *(Path(__file__).parents[1] / "checks").glob("*/*.case"),
        *(Path(__file__).parent / "attribution").glob("*.case"),
    )
)


def by_name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def answer(case: Case) -> dict:
    """Everything but the question."""
    return {**json.loads(render_json(diagnose(case))), "query": None}


@cache
def written(path: Path) -> str:
    """The answer to a case as it is written; a text, so that no test changes another one's."""
    return json.dumps(answer(read_case_file(path)))


@pytest.mark.parametrize("path", CASES, ids=by_name)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_order_in_which_entries_are_read_decides_nothing(path: Path, data: st.DataObject) -> None:
    """Entries say when they were written; a shuffled export is the same session."""
    case = read_case_file(path)
    shuffled = replace(case, entries=tuple(data.draw(st.permutations(case.entries))))

    assert answer(shuffled) == json.loads(written(path))


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_an_entry_that_is_delivered_twice_counts_once(path: Path) -> None:
    """Sinks deliver at least once."""
    case = read_case_file(path)

    assert answer(replace(case, entries=case.entries * 2)) == json.loads(written(path))


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_the_answer_is_the_same_whichever_id_is_asked_for(path: Path) -> None:
    """By each of the session's own IDs."""
    case = read_case_file(path)
    first = json.loads(written(path))
    for alias in first["session"]["aliases"]:
        head = {**case.head, "asks": alias["id"]}
        assert answer(replace(case, head=head)) == first, alias["id"]


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_lines_without_an_id_decide_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a catalogue that attributes none of them, all but the timeline's marked lines is the same."""
    case = read_case_file(path)
    shown = answer(case)
    monkeypatch.setattr(cases, "load_catalogue", _attributing_nothing)
    plain = answer(case)

    assert [line for line in shown.pop("timeline") if not line["attributed"]] == plain.pop("timeline")
    assert shown == plain


def _attributing_nothing() -> Catalogue:
    catalogue = load_catalogue()
    exact = {
        text: tuple(replace(one, attributed="", same={}) for one in known)
        for text, known in catalogue.exact.items()
    }
    patterns = tuple((form, replace(one, attributed="", same={})) for form, one in catalogue.patterns)
    return replace(catalogue, exact=exact, patterns=patterns)


def test_the_cases_hold_lines_that_are_attributed() -> None:
    """Else the properties above say nothing of them."""
    marks = [line["attributed"] for path in CASES for line in answer(read_case_file(path))["timeline"]]

    assert any(mark and mark["ambiguous"] for mark in marks)
    assert any(mark and not mark["ambiguous"] for mark in marks)


@pytest.mark.parametrize("path", CASES, ids=by_name)
def test_every_reference_names_an_entry_that_was_read(path: Path) -> None:
    """Evidence can be looked up."""
    case = read_case_file(path)
    known = {entry["insertId"] for entry in case.entries}
    found = answer(case)
    refs = [
        e["ref"]
        for finding in found["findings"]
        for e in finding["evidence"]
        if e["source"] not in ("kafka", "coverage")
    ]

    assert all(ref.rpartition("#")[2] in known or ref.startswith("coverage/") for ref in refs)
