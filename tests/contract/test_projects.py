"""Several projects and log views in one run: Google's client, over gRPC, against one local server of three."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.catalogue import load_catalogue
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S
from diag.model.queries import LogQuery
from diag.model.settings import Settings
from diag.model.window import Window
from diag.normalise import join_frames, to_frame
from diag.sources.cloud_logging import CloudLogging, patience
from pipeline.local.cloud_logging.errors import LIST_PERMISSION, permission_denied
from tests.cases import START_NS, to_entry
from tests.contract.logging_server import CLUSTER, S, Server, lines, run_server

WINDOW = Window(START_NS, START_NS + 3600 * NS_PER_S)
VIEW = "projects/logs/locations/global/buckets/voice/views/_AllLogs"


def of_project(project: str, second: int, where: str, message: str) -> dict:
    one = to_entry(f"00:{second:02d}.000 {where} info {message} :: sessionID={S}", second)
    labels = {**one["resource"]["labels"], "project_id": project}
    log = f"projects/{project}/logs/{one['logName'].rpartition('/')[2]}"
    return {**one, "logName": log, "resource": {**one["resource"], "labels": labels}}


MEDIA = [of_project("media", n, "media-server", "WebSocket connection established") for n in (1, 5, 9)]
AI = [of_project("ai", n, "orchestrator", "Session started") for n in (3, 7)]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with run_server(("media", "ai", "logs"), sinks="media>logs,ai>logs") as server:
        server.write([*MEDIA, *AI])
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(patience, "PERMISSION_WAIT_S", 0.0)
    running.filters.clear()
    yield running
    running.board.change({"denied_projects": ""})
    running.refusals.clear()


def settings_of(server: Server, projects: str) -> Settings:
    given = server.settings()
    return replace(given, logging=replace(given.logging, project=projects))


def open_reader(server: Server, projects: str) -> CloudLogging:
    return CloudLogging(settings_of(server, projects).logging, CLUSTER, load_catalogue())


async def read(reader: CloudLogging) -> list[int]:
    """The numbers of the entries that come."""
    query = LogQuery(WINDOW, ids=(S,))
    records = [record async for batch in reader.read(query) for record in batch]
    return [int(record.data["insertId"][1:]) for record in records]


async def test_one_request_reads_all_projects_in_one_order(server: Server) -> None:
    """The quota is the caller's own: asking each project by itself would cost twice as much."""
    reader = open_reader(server, "media,ai")

    assert await read(reader) == [1, 3, 5, 7, 9]
    assert len(server.filters) == reader.coverage().requests == 1
    assert reader.coverage().state is State.COMPLETE
    assert reader.coverage().asked.startswith("media,ai/")


async def test_only_the_projects_that_are_named_are_read(server: Server) -> None:
    """An entry belongs to the project in its log's name."""
    assert await read(open_reader(server, "ai")) == [3, 7]


@pytest.mark.parametrize("missing", ["media", "nobody"])
async def test_a_project_that_can_not_be_read_leaves_the_others(server: Server, missing: str) -> None:
    """The service refuses all of it and does not say whose right is missing; coverage does.

    To one who may not read it a project that is not there looks the same.
    """
    server.board.change({"denied_projects": "media"})
    reader, query = open_reader(server, f"{missing},ai"), LogQuery(WINDOW, ids=(S,))

    assert await read(reader) == [3, 7]
    asked = len(server.filters)
    assert await read(reader) == [3, 7]

    coverage = reader.coverage()
    assert coverage.state is State.PARTIAL
    (note,) = coverage.notes
    assert f"nothing of {missing} was read" in note
    assert "logging.logEntries.list" in note
    assert "roles/logging.viewer" in note
    assert len(server.filters) == asked + 1, "what was refused is not asked for again"
    assert coverage.requests == len(server.filters), "what finding out costs is counted, too"
    assert not reader.gave_all(query), "what is missing must not be kept as all there is"


async def test_where_no_project_can_be_read_each_is_named(server: Server) -> None:
    """The source failed, and nothing is claimed of any of them."""
    server.board.change({"denied_projects": "media,ai"})
    reader = open_reader(server, "media,ai")

    assert await read(reader) == []
    assert reader.coverage().state is State.FAILED
    told = " ".join(reader.coverage().notes)
    assert "nothing of media was read" in told
    assert "nothing of ai was read" in told


async def test_a_refusal_that_passes_costs_no_project(server: Server) -> None:
    """The service refuses now and then although the caller may read: each is asked before one is given up."""
    server.refusals += [permission_denied(LIST_PERMISSION)] * patience.PERMISSION_TRIES
    reader = open_reader(server, "media,ai")

    assert await read(reader) == [1, 3, 5, 7, 9]
    assert reader.coverage().state is State.COMPLETE


async def test_a_log_view_is_read_as_a_project_is(server: Server) -> None:
    """An aggregated sink's bucket holds entries of projects that the caller may not read, under their names."""
    server.board.change({"denied_projects": "media,ai"})
    reader = open_reader(server, VIEW)

    assert await read(reader) == [1, 3, 5, 7, 9]
    assert reader.coverage().state is State.COMPLETE
    assert await read(open_reader(server, "logs")) == [], "the project itself wrote none of them"


async def test_pods_that_share_a_name_stay_two(server: Server) -> None:
    """A StatefulSet's pods are called the same in every cluster; each entry tells whose it is."""
    query = LogQuery(WINDOW, ids=(S,))
    twin = [{**one, "logName": one["logName"].replace("/media/", "/ai/")} for one in MEDIA]
    reader = open_reader(server, "media")
    records = [record async for batch in reader.read(query) for record in batch]
    parts = to_frame([*records, *(replace(records[0], data=one) for one in twin)], load_catalogue())

    joined = join_frames([parts])

    assert {pod.partition("/")[0] for pod in joined["pod"]} == {"media", "ai"}
    assert {ref.partition("/")[0] for ref in joined["ref"]} == {"media", "ai"}
    assert join_frames([joined]).equals(joined), "a frame that is joined again stays as it is"
    one_by_one = [join_frames([parts[: len(MEDIA) + 1]]), join_frames([parts[len(MEDIA) + 1 :]])]
    assert join_frames(one_by_one).equals(joined), "batches with one project and with two are put aside"
    alone = join_frames([joined.filter(joined["pod"].str.starts_with("media/")), parts[: len(MEDIA)]])
    assert alone.equals(join_frames([parts[: len(MEDIA)]])), "what is left of one project is as it always was"


async def test_a_session_over_two_projects_is_one(server: Server) -> None:
    """Both sides stand in one report, and a project that is missing makes it partial."""
    server.board.change({"denied_projects": "logs"})
    whole = await _diagnose(server, "media,ai")
    part = await _diagnose(server, "media,ai,logs")

    services = {event.entry.service for event in whole.session.events}
    assert services == {"media-server", "orchestrator"}
    assert {event.entry.service for event in part.session.events} == services
    states = [one.coverage.find("cloud-logging").state for one in (whole, part)]
    assert states == [State.COMPLETE, State.PARTIAL]


async def _diagnose(server: Server, projects: str) -> Diagnosis:
    now_ns = WINDOW.end_ns + 600 * NS_PER_S
    request = SessionRequest(
        settings=settings_of(server, projects),
        now_ns=now_ns,
        since_ns=START_NS,
        until_ns=WINDOW.end_ns,
        asked=S,
        ask_cluster=False,
    )
    answer = await diagnose_session(request)
    assert isinstance(answer, Diagnosis)
    return answer


def test_what_is_kept_of_one_project_is_not_taken_for_two(server: Server) -> None:
    """The cache's key holds all projects; that of a single one is what it always was."""
    query = LogQuery(WINDOW, ids=(S,))
    keys = {one: open_reader(server, one).identify(query) for one in ("media", "media,ai", VIEW)}

    assert len(set(keys.values())) == 3
    assert keys["media"].split("\n\n")[1] == "media"
    assert open_reader(server, "projects/media").identify(query) == keys["media"]


async def test_a_right_that_ends_between_two_pages_leaves_what_came_and_what_others_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page token goes with the projects that it was made for; later pages are asked without the refused one."""
    monkeypatch.setattr(patience, "PERMISSION_WAIT_S", 0.0)
    media = lines(1500)
    ai = [{**one, "logName": one["logName"].replace("/p/", "/ai/")} for one in lines(1500)]
    with run_server(("p", "ai")) as server:
        server.write([*media, *ai])
        reader, came = open_reader(server, "p,ai"), dict[str, int]()
        async for batch in reader.read(LogQuery(WINDOW, ids=(S,))):
            server.board.change({"denied_projects": "p"})
            for record in batch:
                project = record.data["logName"].split("/")[1]
                came[project] = came.get(project, 0) + 1

    assert 0 < came["p"] < 1500
    assert came["ai"] == 1500
    assert reader.coverage().state is State.PARTIAL
    assert "nothing more of p was read" in reader.coverage().notes[0]
