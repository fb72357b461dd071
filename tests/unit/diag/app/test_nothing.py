"""What is no session: where it occurs and how often, or what was there instead; in bounded work."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diag.app.nothing import explain_nothing
from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.catalogue import load_catalogue
from diag.model.coverage import Coverage, State
from diag.model.diagnosis import NothingFound, Query
from diag.model.identifiers import classify
from diag.model.settings import Settings
from diag.normalise import join_frames, to_frame
from diag.render.json_v1 import render_nothing_json
from diag.render.terminal_nothing import render_nothing
from diag.session import select
from diag.session.events import to_events
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, START_NS, read_case, to_records

SCHEMA = json.loads(resources.files("diag.render").joinpath("session_v1.schema.json").read_text("utf-8"))
T, W = DEFAULTS["T"], DEFAULTS["W"]
MANY = 3_000


def minted(number: int) -> str:
    return f"session_{1753615601372 + number}_{number:09d}"


def lines_with(shared: str, session: str = "") -> list[str]:
    """Many lines that share an ID, each beside a session of its own unless `session` is given."""
    return [
        f"{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d} orchestrator info Processing audio session "
        f":: sessionID={session or minted(n)} {shared}"
        for n in range(MANY)
    ]


def finder_of(lines: list[str]) -> EventFinder:
    catalogue = load_catalogue()
    records = to_records(read_case("\n".join(lines)).entries)
    return EventFinder(join_frames([to_frame(records, catalogue)]), catalogue)


def explain(asked: str, lines: list[str]) -> NothingFound:
    return explain_nothing(Query(classify(asked), None), Coverage(), finder_of(lines))


HUBS = pytest.mark.parametrize(
    ("asked", "lines"),
    [
        (T, lines_with(f"trace={T}")),
        (W, lines_with(f"connID={W}")),
        ("undefined", lines_with(f"connID={W}", "undefined")),
    ],
    ids=["trace", "socket", "lost"],
)


@HUBS
def test_of_a_hub_the_first_lines_are_shown_and_all_are_counted(asked: str, lines: list[str]) -> None:
    """In each output, with how many more there are; the JSON is of its schema."""
    nothing = explain(asked, lines)
    found = json.loads(render_nothing_json(nothing))
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())

    assert nothing.occurs == MANY
    assert len(found["occurrences"]) + found["occurrences_more"] == MANY
    assert len(found["occurrences"]) <= 500
    times = [one["first"] for one in found["occurrences"]]
    assert times == sorted(times)
    assert f"... and {MANY - 20} more" in render_nothing(nothing).plain


@HUBS
async def test_the_work_for_a_hub_does_not_grow_with_its_lines(
    asked: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events are made of the lines that are shown; with a window, too, that cuts most of them off."""
    made: list[int] = []

    def counted(entries: Any, catalogue: Any) -> Any:
        made.append(len(entries))
        return to_events(entries, catalogue)

    monkeypatch.setattr(select, "to_events", counted)
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in read_case("\n".join(lines)).entries))
    for until_ns in (None, START_NS + 600 * 10**9):
        answer = await diagnose_session(
            SessionRequest(
                asked=asked, settings=Settings(), now_ns=START_NS + 10**15, files=(str(path),),
                until_ns=until_ns, ask_kafka=False,
            )
        )  # fmt: skip
        assert isinstance(answer, NothingFound)
        assert answer.occurs == (MANY if until_ns is None else 600)
        assert answer.coverage.sources[0].state is (State.COMPLETE if until_ns is None else State.PARTIAL)

    assert sum(made) <= 2 * 500


def test_a_line_of_a_megabyte_is_cut_where_it_is_listed() -> None:
    """The whole of it is behind the reference."""
    nothing = explain("undefined", [f"00:01.000 orchestrator info {'x' * 10**6} :: sessionID=undefined"])

    assert nothing.occurs == 1
    assert len(nothing.occurrences[0].note) < 2_000


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        (minted(7)[:-1] + "x", [7]),
        ("session_1753615601372_zzzzzzzzz", [0, 1, 2, 3, 4]),
        ("nobody", [2_999, 2_998, 2_997, 2_996, 2_995]),
        ("session_", [0, 1, 2, 3, 4]),
    ],
    ids=["misspelt", "minted near", "without a time", "part of all"],
)
def test_the_nearest_are_few_however_many_were_seen(asked: str, nearest: list[int]) -> None:
    """Those spelt alike, then by when they were minted, else the latest."""
    nothing = explain(asked, lines_with(""))

    assert [one.id for one in nothing.nearest][: len(nearest)] == [minted(n) for n in nearest]
    assert len(nothing.nearest) == 5
    assert (nothing.occurs, nothing.occurrences) == (0, ())


@pytest.mark.parametrize("slip", ["session_1753915601379_000000007", "session_1753615601379_00000000x"])
def test_a_slip_is_found_among_very_many(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the time inside or at the end, where not all can be compared."""
    monkeypatch.setattr("diag.app.nothing._MOST_COMPARED", 5)
    nothing = explain(slip, lines_with(""))

    assert (nothing.nearest[0].id, nothing.nearest[0].note) == (minted(7), "spelt alike")
