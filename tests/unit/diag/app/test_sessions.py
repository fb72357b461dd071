"""All sessions of a window: the same answers as one by one, however they are cut and read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from diag.app import sessions
from diag.app.many.reading import Room, share_out
from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.errors import UsageError
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Status
from diag.model.overview import Overview, SessionLine, to_line
from diag.model.settings import Settings, WorkSettings
from tests.accuracy.entries import to_entries
from tests.accuracy.world import build_world
from tests.cases import DEFAULTS, START_NS, read_case

NOW_NS = START_NS + 10**15
TURNS = """
00:00.001 media-server  info Using session ID from header :: sessionID=$S trace=$T
00:00.100 media-server  info WHIP connection established with ICE candidates :: sessionID=$S
00:01.001 orchestrator  info Received session info from frontend :: connID=$W sessionID=$S
09:00.000 media-server  info Connection cleaned up :: sessionID=$S
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sessions of every kind, with clocks apart, lines lost and IDs lost."""
    path = tmp_path_factory.mktemp("world") / "window.ndjson"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in to_entries(build_world(7, 60))))
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(world: Path) -> Overview:
    """All of its sessions, as they are listed where nothing is cut."""
    return await list_sessions(ask(world))


def write(folder: Path, name: str, lines: str) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(entry) + "\n" for entry in read_case(lines).entries))
    return str(path)


def ask(*files: str | Path, **more: object) -> SessionsRequest:
    asked = {"settings": Settings(), "now_ns": NOW_NS, "ask_kafka": False, **more}
    return SessionsRequest(files=tuple(map(str, files)), **asked)  # type: ignore[arg-type]


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Makes the parts and the shards of the work so small."""

    def use(part_bytes: int, shard_lines: int) -> None:
        monkeypatch.setattr(sessions, "share_out", lambda _: Room(1, part_bytes, shard_lines))

    return use


async def one_by_one(path: Path, overview: Overview) -> dict[str, SessionLine]:
    """Some of the listed sessions, each asked for by itself."""
    lines = {}
    for listed in overview.sessions[::6]:
        answer = await diagnose_session(
            SessionRequest(
                asked=listed.id, settings=Settings(), now_ns=NOW_NS, files=(str(path),), ask_kafka=False
            )
        )
        assert isinstance(answer, Diagnosis), listed.id
        lines[listed.id] = to_line(answer)
    return lines


async def test_a_listed_session_is_what_it_is_when_asked_for_alone(world: Path, cut) -> None:
    """Verdict, turns, IDs, findings: the window is only cut for want of memory."""
    cut(40_000, 300)
    overview = await list_sessions(ask(world))

    assert len(overview.sessions) >= 60
    alone = await one_by_one(world, overview)
    assert {line.id: line for line in overview.sessions if line.id in alone} == alone


@pytest.mark.parametrize(("part_bytes", "shard_lines"), [(5_000, 1), (100_000, 1_000), (10**9, 10**9)])
async def test_the_list_does_not_depend_on_how_it_is_cut(
    world: Path, whole: Overview, cut, part_bytes: int, shard_lines: int
) -> None:
    """Memory decides the time that it takes, and nothing else."""
    cut(part_bytes, shard_lines)

    assert (await list_sessions(ask(world))).sessions == whole.sessions


async def test_processes_side_by_side_give_the_same_list(world: Path, whole: Overview, monkeypatch) -> None:
    """In the same order."""
    monkeypatch.setattr(sessions, "share_out", lambda _: Room(2, 100_000, 1_000))

    assert (await list_sessions(ask(world))).sessions == whole.sessions


async def test_what_a_text_finds_does_not_depend_on_who_looks(
    world: Path, whole: Overview, monkeypatch
) -> None:
    """Of all sessions those that have it, each as it is in the whole list, from one process or two."""
    pod = "orchestrator-26610eec70"
    found = await list_sessions(ask(world, sought=pod))
    monkeypatch.setattr(sessions, "share_out", lambda _: Room(2, 100_000, 1_000))

    assert 0 < len(found.sessions) < len(whole.sessions) == found.seen
    assert {replace(line, found_by=()) for line in found.sessions} < set(whole.sessions)
    assert all(line.found_by[0].where.startswith(pod) for line in found.sessions)
    assert (await list_sessions(ask(world, sought=pod))).sessions == found.sessions


async def test_the_order_of_the_lines_is_of_no_matter(
    world: Path, whole: Overview, tmp_path: Path, cut
) -> None:
    """Files per pod, per hour, newest first: the same list."""
    lines = world.read_text().splitlines(keepends=True)
    (tmp_path / "b.ndjson").write_text("".join(reversed(lines[::2])))
    (tmp_path / "a.ndjson").write_text("".join(lines[1::2]))
    cut(30_000, 500)

    assert (await list_sessions(ask(tmp_path))).sessions == whole.sessions


async def test_a_session_that_the_window_cuts_is_not_called_healthy(world: Path, whole: Overview) -> None:
    """What lies outside was not looked at."""
    healthy = [line for line in whole.sessions if line.status is Status.HEALTHY and line.last_ns]
    middle = healthy[len(healthy) // 2].last_ns
    overview = await list_sessions(ask(world, until_ns=middle))
    cut_off = {line.id for line in whole.sessions if (line.first_ns or 0) < middle < (line.last_ns or 0)}

    assert cut_off
    assert not [line for line in overview.sessions if line.id in cut_off and line.status is Status.HEALTHY]
    assert any("were left out" in note for note in overview.coverage.sources[0].notes)


@pytest.mark.parametrize("shared", [f"trace={DEFAULTS['T']}", f"connID={DEFAULTS['W']}"])
async def test_what_thousands_share_joins_none_of_them(tmp_path: Path, shared: str) -> None:
    """A load test under one trace, or over one socket: each session stands for itself."""
    lines = [
        f"{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d} media-server info Using session ID from header "
        f":: sessionID=session_{1753615601372 + n}_{n:09d} {shared}"
        for n in range(2_000)
    ]
    overview = await list_sessions(ask(write(tmp_path, "a.ndjson", "\n".join(lines))))

    assert len(overview.sessions) == 2_000
    assert all(not line.aliases for line in overview.sessions)


async def test_only_some_are_listed_where_some_are_asked_for(world: Path, whole: Overview) -> None:
    """With a turn without a reply, or with one finding; how many there are in all is said."""
    silent = await list_sessions(ask(world, unanswered=True))
    mismatched = await list_sessions(ask(world, cause="id-mismatch"))

    assert [line for line in whole.sessions if line.unanswered] == [*silent.sessions]
    assert mismatched.sessions
    assert all("id-mismatch" in {f.slug for f in line.findings} for line in mismatched.sessions)
    assert mismatched.seen == whole.seen == len(whole.sessions)


async def test_a_file_that_is_not_there_costs_the_others_nothing(tmp_path: Path) -> None:
    """It makes the answer partial, and says which."""
    good = write(tmp_path, "good.ndjson", TURNS)
    overview = await list_sessions(ask(good, tmp_path / "missing.ndjson"))

    assert len(overview.sessions) == 1
    assert overview.coverage.sources[0].state is State.PARTIAL
    assert "missing.ndjson: no such file" in overview.coverage.sources[0].notes[0]


async def test_a_file_in_which_nothing_stands_is_told(tmp_path: Path) -> None:
    """By whichever process it was read."""
    good, empty = write(tmp_path, "good.ndjson", TURNS), tmp_path / "empty.json"
    empty.write_text("[]\n")
    overview = await list_sessions(ask(good, empty))

    assert any(f"nothing stands in {empty};" in note for note in overview.coverage.sources[0].notes)


async def test_a_cause_that_no_check_has_names_the_nearest() -> None:
    """Before anything is read."""
    with pytest.raises(UsageError, match="no check 'id-mismach'") as raised:
        await list_sessions(ask("-", cause="id-mismach"))
    assert raised.value.hint == "did you mean id-mismatch?"


async def test_a_cause_like_no_check_s_is_told_which_there_are() -> None:
    """Nothing else lists them, and a guess would lead astray."""
    with pytest.raises(UsageError, match="no check 'silence'") as raised:
        await list_sessions(ask("-", cause="silence"))
    assert raised.value.hint.startswith("there are ")
    assert "turn-no-reply" in raised.value.hint


@pytest.mark.parametrize("memory_mb", [256, 1024, 64_000])
@pytest.mark.parametrize("processes", [0, 1, 64])
def test_the_memory_is_shared_out_among_the_processes(memory_mb: int, processes: int) -> None:
    """All of them together stay below what the setting allows, and each has something to work with."""
    room = share_out(WorkSettings(memory_mb, processes))

    assert room.processes >= 1
    assert (room.processes + 1) * 80 <= memory_mb
    assert room.part_bytes >= 1 << 20
    assert room.shard_lines >= 1_000


def interrupt_at(line: str, times: int = 1) -> Callable[[str], None]:
    """Ctrl-C as soon as the work tells this, or tells it so often."""
    told: list[str] = []

    def progress(said: str) -> None:
        task = asyncio.current_task()
        if task is not None and said.startswith(line):
            told.append(said)
            if len(told) == times:
                task.cancel()

    return progress


@pytest.mark.parametrize("processes", [1, 2])
async def test_an_interrupted_judging_keeps_what_was_judged(
    world: Path, whole: Overview, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    """The same lines, and how much is missing of them; what is at work is not waited for."""
    monkeypatch.setattr(sessions, "share_out", lambda _: Room(processes, 100_000, 100))
    some = await list_sessions(ask(world, progress=interrupt_at("judging", 3)))

    assert 0 < len(some.sessions) < len(whole.sessions)
    (files,) = some.coverage.log_sources()
    assert files.state is State.PARTIAL
    assert re.fullmatch(
        r"interrupted \(Ctrl-C\): \d+ IDs of sessions were read and not judged", files.notes[0]
    )
    assert {*some.sessions} <= {*whole.sessions}


@pytest.mark.parametrize("processes", [1, 2])
async def test_an_interrupted_reading_is_judged(
    world: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    """By new processes: those that read are not waited for."""
    monkeypatch.setattr(sessions, "share_out", lambda _: Room(processes, 100_000, 1_000))
    some = await list_sessions(ask(world, progress=interrupt_at("reading", 2)))

    assert some.sessions
    assert some.coverage.log_sources()[0].notes[0] == "interrupted (Ctrl-C)"
