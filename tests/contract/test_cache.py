"""The cache against the local Cloud Logging server, which counts what it is asked."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from diag.app.coverage import LEAST_LAG_NS
from diag.app.plan import plan_session, plan_sessions
from diag.app.recall import MARGIN_NS
from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S, format_instant
from diag.model.overview import Overview
from diag.model.settings import CacheSettings, CatalogueSettings, Settings
from diag.render.json_v1 import render_json
from diag.render.sessions_v1 import render_overview_json
from diag.sources.cloud_logging import patience
from tests.cases import START_NS, read_case_file, to_entry
from tests.contract.logging_server import S, Server, lines

SICK = Path(__file__).parents[1] / "checks/id-mismatch"
HOUR_NS = 3600 * NS_PER_S


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where it is; the tests' environment names it."""
    return tmp_path / "cache/diag"


@pytest.fixture
def server(serve) -> Server:
    """With a session of an hour ago that is sick."""
    server = serve()
    case = next(iter(sorted(SICK.glob("*.case"))))
    server.write(read_case_file(case).entries)
    return server


async def ask(settings: Settings, asked: str = S, now_ns: int = START_NS + 3 * HOUR_NS) -> Diagnosis:
    answer = await diagnose_session(SessionRequest(asked=asked, settings=settings, now_ns=now_ns))
    assert isinstance(answer, Diagnosis)
    return answer


async def list_all(settings: Settings, now_ns: int = START_NS + 3 * HOUR_NS, **bounds: int) -> Overview:
    return await list_sessions(SessionsRequest(settings=settings, now_ns=now_ns, **bounds))


def logs_of(answer: Diagnosis | Overview) -> SourceCoverage:
    (found,) = answer.coverage.log_sources()
    return found


def told(answer: Diagnosis | Overview) -> dict:
    """All that an answer says but how it was read."""
    text = render_json(answer) if isinstance(answer, Diagnosis) else render_overview_json(answer)
    return {**json.loads(text), "coverage": []}


async def test_a_second_run_asks_nothing_and_says_the_same(server: Server) -> None:
    """And tells that it comes from the cache."""
    first = await ask(server.settings())
    asked = len(server.filters)

    second = await ask(server.settings())

    assert asked > 1
    assert len(server.filters) == asked
    assert told(second) == told(first)
    assert logs_of(second).state is State.COMPLETE
    assert logs_of(second).asked == logs_of(first).asked
    assert "0 requests" in logs_of(second).got
    assert "from the cache" in logs_of(second).got
    assert "--no-cache" in logs_of(second).notes[0]
    assert not any("cache" in note for note in logs_of(first).notes)


async def test_all_sessions_of_a_window_are_kept_too(server: Server) -> None:
    """In several pieces, where they are many."""
    server.write(lines(2500, "session_1753615700000_other", 100))
    bounds = {"since_ns": START_NS, "until_ns": START_NS + HOUR_NS}
    first = await list_all(server.settings(), **bounds)
    asked = len(server.filters)

    second = await list_all(server.settings(), **bounds)

    assert len(server.filters) == asked
    assert told(second) == told(first)
    assert len(second.sessions) > 1


async def test_pieces_meet_where_batches_do(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large window is kept piece by piece, and entries of the same instant stay together."""
    monkeypatch.setattr("diag.app.many.reading._BATCH_ENTRIES", 1000)
    server.write(
        [to_entry(f"{n // 600:02d}:{n // 10 % 60:02d}.000 llm-service info tick", n) for n in range(4500)]
    )
    bounds = {"since_ns": START_NS, "until_ns": START_NS + HOUR_NS}
    first = await list_all(server.settings(), **bounds)
    asked = len(server.filters)

    second = await list_all(server.settings(), **bounds)

    assert len(server.filters) == asked
    assert len(list(cache.iterdir())) == 4
    assert logs_of(second).entries == logs_of(first).entries
    assert told(second) == told(first)


async def test_only_the_part_of_a_window_that_is_new_is_asked_for(server: Server) -> None:
    """The last hour, ten minutes later: one request, for what is not kept."""
    server.write(lines(1, first=3300))
    now_ns = START_NS + HOUR_NS
    await list_all(server.settings(), now_ns)
    asked = len(server.filters)
    later = await list_all(server.settings(), now_ns + 600 * NS_PER_S)

    assert len(server.filters) == asked + 1
    settled_ns = now_ns - MARGIN_NS - LEAST_LAG_NS
    assert f'timestamp>="{format_instant(settled_ns)}"' in server.filters[-1]
    alone = await list_all(without_cache(server.settings()), now_ns + 600 * NS_PER_S)
    assert told(later) == told(alone)


def without_cache(settings: Settings) -> Settings:
    return Settings(logging=settings.logging, cluster=settings.cluster, cache=CacheSettings(0))


async def test_what_may_still_become_more_is_not_kept(server: Server) -> None:
    """An entry that comes late is seen by the next run."""
    now_ns = START_NS + HOUR_NS
    late = "session_1753617400000_late"
    assert late not in {line.id for line in (await list_all(server.settings(), now_ns)).sessions}
    server.write(lines(3, late, first=(HOUR_NS - MARGIN_NS) // NS_PER_S))

    assert late in {line.id for line in (await list_all(server.settings(), now_ns)).sessions}


@pytest.mark.parametrize("reads_per_minute", [0, 1])
async def test_a_partial_answer_is_not_kept(
    serve, cache: Path, monkeypatch: pytest.MonkeyPatch, reads_per_minute: int
) -> None:
    """Whether the pages that a query may take are spent, or the quota."""
    monkeypatch.setattr(patience, "QUOTA_WAIT_S", 0.01)
    server = serve(read_requests_per_minute=reads_per_minute)
    server.write(lines(2500))
    bounds = {"since_ns": START_NS, "until_ns": START_NS + HOUR_NS}

    overview = await list_all(server.settings(max_pages=40 if reads_per_minute else 1), **bounds)

    assert logs_of(overview).state is State.PARTIAL
    assert not cache.exists()


async def test_no_cache_neither_reads_nor_writes_it(server: Server, cache: Path) -> None:
    """Whoever opts out leaves nothing behind, and gets nothing old."""
    await ask(without_cache(server.settings()))
    assert not cache.exists()
    await ask(server.settings())
    asked = len(server.filters)

    await ask(without_cache(server.settings()))

    assert len(server.filters) > asked


async def test_another_catalogue_reads_anew(server: Server, tmp_path: Path) -> None:
    """What a line means, and what of it is content, is the catalogue's to say."""
    own = tmp_path / "own.toml"
    own.write_text('[services.greeter]\nside = "orchestrator"\n')
    settings = server.settings()
    with_own = Settings(settings.logging, settings.cluster, catalogue=CatalogueSettings((str(own),)))
    await ask(settings)
    asked = len(server.filters)
    await ask(with_own)
    assert len(server.filters) == 2 * asked
    await ask(with_own)
    assert len(server.filters) == 2 * asked

    own.write_text('[services.greeter]\nside = "tts"\n')
    await ask(with_own)

    assert len(server.filters) == 3 * asked


async def test_the_plan_knows_what_is_kept(server: Server) -> None:
    """It asks for no more than the run would: here, nothing."""
    now_ns = START_NS + 3 * HOUR_NS
    one = SessionRequest(asked=S, settings=server.settings(), now_ns=now_ns)
    window = SessionsRequest(
        settings=server.settings(), now_ns=now_ns, since_ns=START_NS, until_ns=START_NS + HOUR_NS
    )
    assert (await plan_session(one)).least_requests
    assert (await plan_sessions(window)).least_requests
    await diagnose_session(one)
    await list_sessions(window)
    asked = len(server.filters)

    for plan in (await plan_session(one), await plan_sessions(window)):
        assert (plan.queries, plan.most_requests) == ((), 0)
        assert "in the cache" in plan.notes[0]
    assert len(server.filters) == asked


SECRETS = (
    "hunter2hunter2",
    "eyJhbGciOiJIUzI1NiJ9",
    "+49 151 23456789",
    "jane.doe@example.com",
    "203.0.113.77",
)
SPOKEN = ("my card is four two four two", "please cancel my flight")


async def test_no_secret_and_no_spoken_word_reaches_the_disk(serve, cache: Path) -> None:
    """Neither as bytes nor inside of what is packed; and the folder is this user's alone."""
    server = serve()
    server.write(
        [
            to_entry(
                f"00:0{n}.000 orchestrator info Login password={SECRETS[0]} from {SECRETS[4]} for {SECRETS[3]}, "
                f"call {SECRETS[2]} :: sessionID={S} token={SECRETS[1]}.e30.c2ln "
                f"final_transcript='{SPOKEN[0]}' text='{SPOKEN[1]}'",
                n,
            )
            for n in range(3)
        ]
    )
    await ask(server.settings())

    files = list(cache.iterdir())
    packed = [file.read_bytes() for file in files]
    unpacked = "".join(str(pl.read_ipc(one[len(b"diag entries\n") + 32 :]).rows()) for one in packed)
    assert "<secret>" in unpacked
    assert "<said, 28 characters" in unpacked
    for secret in (*SECRETS, *SPOKEN):
        assert secret not in unpacked
        assert not any(secret.encode() in one for one in packed)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert cache.stat().st_mode & 0o777 == 0o700
