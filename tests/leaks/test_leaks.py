"""500 planted secrets of 22 kinds: none comes out, by whatever way an entry goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diag.app.plan import plan_session
from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.catalogue import load_catalogue
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.model.settings import CacheSettings, Settings
from diag.normalise import to_frame
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from diag.render.plan import render_reading_plan
from diag.render.sessions import render_overview
from diag.render.sessions_v1 import render_overview_json
from diag.render.terminal import render_terminal
from diag.sources.cache import pieces
from tests.cases import START_NS, to_entry
from tests.contract.logging_server import S, Server, run_server
from tests.leaks.secrets import KINDS, Planted, plant

COUNT = 500
NOW_NS = START_NS + 24 * 3600 * NS_PER_S


def to_log(planted: list[Planted]) -> list[dict]:
    """Entries of one session, each with one of the secrets; some are lines of text, or carry it in a label."""
    entries = []
    for number, one in enumerate(planted):
        at = f"{number // 60:02d}:{number % 60:02d}.000"
        entry = to_entry(f"{at} media-server info Something happened :: sessionID={S}", number)
        fields = {**entry["jsonPayload"], **one.fields}
        if number % 10 == 0:
            del entry["jsonPayload"]
            entry["textPayload"] = json.dumps(fields)
        else:
            entry["jsonPayload"] = fields
        if one.kind.tells:
            entry["labels"]["note"] = one.text
        entries.append(entry)
    return entries


@pytest.fixture(scope="module")
def planted() -> list[Planted]:
    return list(plant(Random(7), COUNT))


@pytest.fixture(scope="module")
def log_file(planted: list[Planted], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("leaks") / "log.ndjson"
    path.write_text("\n".join(map(json.dumps, to_log(planted))) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def server(planted: list[Planted]) -> Iterator[Server]:
    with run_server() as server:
        server.write(to_log(planted))
        yield server


def assert_none_of(planted: list[Planted], *outputs: str) -> None:
    """No secret stands in an output, however it is spelt there."""
    for output in outputs:
        assert S in output or "session" in output, "nothing came out, so that nothing was tested"
        squeezed = "".join(output.split())
        leaked = [
            f"{one.kind.name} in {one.place}"
            for one in planted
            if any(text in output or "".join(text.split()) in squeezed for text in one.spellings)
        ]
        assert leaked == []


def test_the_kinds_are_many(planted: list[Planted]) -> None:
    """Each kind is planted in several places."""
    assert len(KINDS) >= 20
    assert all(len({one.place for one in planted if one.kind is kind}) > 4 for kind in KINDS)


async def test_none_in_the_report_of_a_session(planted: list[Planted], log_file: str) -> None:
    """From a file: terminal, Markdown, JSON."""
    request = SessionRequest(asked=S, settings=Settings(), now_ns=NOW_NS, files=(log_file,), ask_kafka=False)
    diagnosis = await diagnose_session(request)

    assert diagnosis.coverage.entries_read() == COUNT
    assert_none_of(
        planted, render_terminal(diagnosis).plain, render_markdown(diagnosis), render_json(diagnosis)
    )


async def test_none_in_a_list_of_sessions(planted: list[Planted], log_file: str) -> None:
    """Nor where a text of the lines is sought."""
    request = SessionsRequest(
        settings=Settings(), now_ns=NOW_NS, files=(log_file,), ask_kafka=False, sought="something"
    )
    overview = await list_sessions(request)

    assert overview.sessions
    assert_none_of(planted, render_overview(overview).plain, render_overview_json(overview))


async def test_none_from_cloud_logging_or_in_the_cache(
    planted: list[Planted], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept on disk is as redacted as a report, and so are an interrupted run's plan and words."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    live = server.settings()
    live = Settings(logging=live.logging, cluster=live.cluster, cache=CacheSettings(max_mb=64))
    request = SessionRequest(asked=S, settings=live, now_ns=NOW_NS)
    plan = await plan_session(request)
    diagnosis = await diagnose_session(request)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept = "".join(str(read_piece(path)) for path in files)
    assert diagnosis.coverage.entries_read() >= COUNT
    assert kept
    assert_none_of(planted, render_json(diagnosis), render_reading_plan(plan).plain, kept)
    raw = b"".join(path.read_bytes() for path in files)
    assert [one.kind.name for one in planted if one.text.encode() in raw] == []


def read_piece(path: Path) -> list[dict]:
    """The rows of a piece of the cache."""
    frame = pieces._unseal(path.name, path.read_bytes())
    return [] if frame is None else frame.to_dicts()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9))
def test_none_survives_normalising_whatever_it_is(seed: int) -> None:
    """Other secrets, other places; what stands in the frame is all that anybody behind it can see."""
    (first, *_) = planted = list(plant(Random(seed), len(KINDS)))
    frame = to_frame(map(LogRecord, to_log(planted)), load_catalogue())

    assert first
    assert_none_of(
        planted, json.dumps(frame.to_dicts(), ensure_ascii=False, default=bytes.decode), str(frame.to_dicts())
    )
