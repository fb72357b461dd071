"""One session gives one timeline, whichever way its lines came.

The same lines, as the runtime wrote them on the node, are read from Cloud Logging over gRPC, from a sink's objects, from
what ``kubectl logs --timestamps --prefix`` printed, and from the runtime's own files. What differs is named here, and
nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.catalogue import load_catalogue
from diag.model import frames
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S
from diag.model.settings import Settings
from diag.normalise import to_frame
from diag.render.json_v1 import render_json
from diag.sources.files.content import read_content
from tests.cases import START_NS, Case, read_case_file, to_records
from tests.contract.logging_server import run_server
from tests.contract.node_logs import (
    number_lines,
    refs_of_entries,
    refs_of_files,
    refs_of_kubectl,
    send_node,
    write_kubectl,
    write_node,
    write_sink,
)

CASES = sorted((Path(__file__).parents[1] / "eras").glob("*.case"))
NOW_NS = START_NS + 3600 * NS_PER_S
LOGS, SINK, KUBECTL, RUNTIME = "Cloud Logging", "sink", "kubectl", "runtime"

Told = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One way on which the lines came, and the line that each of its references means."""

    settings: Settings
    files: tuple[str, ...]
    numbers: dict[str, str]


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> Case:
    """A session of another era each, well or sick."""
    return read_case_file(request.param)


@pytest.fixture
def ways(case: Case, tmp_path: Path) -> Iterator[dict[str, Way]]:
    """All of them, by their names."""
    node, printed, sink = tmp_path / "pods", tmp_path / "kubectl.txt", tmp_path / "bucket"
    with run_server() as server:
        write_node(node, case.entries)
        send_node(node, server)
        write_sink(sink, server)
        write_kubectl(printed, node)
        entries = number_lines(refs_of_entries(server))
        assert len(entries) == len(case.entries)
        yield {
            LOGS: Way(server.settings(), (), entries),
            SINK: Way(Settings(), (str(sink),), entries),
            KUBECTL: Way(Settings(), (str(printed),), number_lines(refs_of_kubectl(printed))),
            RUNTIME: Way(Settings(), (str(node),), number_lines(refs_of_files(node))),
        }


async def tell(case: Case, way: Way) -> Told:
    """What diag says, in its own JSON: but for what was asked of whom, with the lines in the place of their names."""
    request = SessionRequest(asked=case.asked, settings=way.settings, files=way.files, now_ns=NOW_NS)
    answer = await diagnose_session(request)
    assert isinstance(answer, Diagnosis)
    told = json.loads(render_json(answer))
    del told["coverage"], told["query"]
    return _number(told, way.numbers)


def _number(value: Any, numbers: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {name: _number(one, numbers) for name, one in value.items() if name != "source"}
        case list():
            return [_number(one, numbers) for one in value]
        case str():
            return numbers.get(value, value)
    return value


async def test_every_file_of_a_session_gives_the_same(case: Case, ways: dict[str, Way]) -> None:
    """Timeline, order, IDs, turns, findings, verdict: to the letter. Also all of them at once, each line once."""
    sink = await tell(case, ways[SINK])
    several = Way(
        Settings(), ways[SINK].files + ways[KUBECTL].files + ways[RUNTIME].files, ways[SINK].numbers
    )

    assert await tell(case, ways[KUBECTL]) == sink
    assert await tell(case, ways[RUNTIME]) == sink
    assert (await tell(case, several))["timeline"] == sink["timeline"]


async def test_cloud_logging_gives_what_its_export_gives(case: Case, ways: dict[str, Way]) -> None:
    """But for what nobody knows who asks for the lines of one session alone: whether another may own a line, too."""
    live, sink = await tell(case, ways[LOGS]), await tell(case, ways[SINK])

    assert _without_doubts(live) == _without_doubts(sink)
    assert all(line["attributed"]["ambiguous"] for line in live["timeline"] if line["attributed"])


def _without_doubts(told: Told) -> Told:
    """Without how sure it is whose a line is."""
    timeline = [{**line, "attributed": bool(line["attributed"])} for line in told["timeline"]]
    return {**told, "timeline": timeline}


def test_what_a_printed_log_does_not_have(case: Case, tmp_path: Path) -> None:
    """No insert ID, no stream: and the line, its time, its pod and its service all the same."""
    node, printed = tmp_path / "pods", tmp_path / "kubectl.txt"
    write_node(node, case.entries)
    write_kubectl(printed, node)
    exported = to_frame(to_records(case.entries), load_catalogue())
    frame = to_frame(read_content(printed.read_bytes(), printed.name).records, load_catalogue())

    for column, nothing in ((frames.INSERT_ID, ""), (frames.LOG_NAME, "")):
        assert set(frame[column]) == {nothing}
        assert nothing not in set(exported[column])
    same = [frames.TIME, frames.POD, frames.SERVICE, frames.LEVEL, frames.MESSAGE]
    assert sorted(frame[same].iter_rows()) == sorted(exported[same].iter_rows())
