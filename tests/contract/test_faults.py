"""Every fault of Cloud Logging against every command that reads it: never a crash, never a false "nothing found".

One server for all; what a fault leaves of the entries is kept, and coverage says what is missing and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.cli import exits
from diag.errors import ExitCode
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import NothingFound
from diag.model.findings import Severity
from diag.model.instants import NS_PER_S
from diag.model.settings import Settings
from diag.sources.cloud_logging import client as connection
from diag.sources.cloud_logging import patience
from pipeline.local.cloud_logging.switches import Switches
from tests.cases import START_NS
from tests.contract.logging_server import S, Server, lines, run_server
from tests.contract.relay import Relay, open_relay

NOW_NS = START_NS + 3600 * NS_PER_S
WRITTEN = 1500
FIRST_ANSWER = 900
"""Entries of the window that a session is looked for in first; a whole window's first page has more."""


@dataclass(frozen=True)
class Fault:
    """What is done to the server, and what both commands must make of it.

    Attributes:
        cuts: connections that are cut, after so many bytes of answers.
        kept: entries that must be there at least.
        words: of the reason that the user reads.
    """

    name: str
    switches: dict = field(default_factory=dict)
    state: State = State.COMPLETE
    kept: int = WRITTEN
    words: str = ""
    cuts: tuple[int, int] = (0, 0)


def refuse(name: str, orders: str, *args, **kwargs) -> Fault:
    return Fault(name, {"refuse_reads": orders}, *args, **kwargs)


FAILED, PARTIAL = (State.FAILED, 0), (State.PARTIAL, FIRST_ANSWER)
FAULTS = [
    Fault("none"),
    refuse("429 once", "RESOURCE_EXHAUSTED*1"),
    refuse("429 for ever", "RESOURCE_EXHAUSTED", *FAILED, "read quota is spent"),
    refuse("429 after a page", "OK*1,RESOURCE_EXHAUSTED", *PARTIAL, "read quota is spent"),
    Fault("quota", {"read_requests_per_minute": 1}, *PARTIAL, "read quota is spent"),
    refuse("503 once", "UNAVAILABLE*1"),
    refuse("503 five times", "OK*1,UNAVAILABLE*5"),
    refuse("503 for ever", "UNAVAILABLE", *FAILED, "does not answer"),
    refuse("503 after a page", "OK*1,UNAVAILABLE", *PARTIAL, "does not answer"),
    refuse("500 once", "INTERNAL*1"),
    refuse("403 once", "PERMISSION_DENIED*1"),
    refuse("403 for ever", "PERMISSION_DENIED", *FAILED, "roles/logging.viewer"),
    refuse("403 after a page", "OK*1,PERMISSION_DENIED", *PARTIAL, "roles/logging.viewer"),
    Fault("denied project", {"denied_projects": "p"}, *FAILED, "roles/logging.viewer"),
    refuse("404 for ever", "NOT_FOUND", *FAILED, "check --project"),
    refuse("expired token", "OK*1,UNAUTHENTICATED*1"),
    refuse("expired login", "UNAUTHENTICATED", *FAILED, "gcloud auth application-default login"),
    refuse("expired login after a page", "OK*1,UNAUTHENTICATED", *PARTIAL, "gcloud auth"),
    refuse("deadline once", "DEADLINE_EXCEEDED*1"),
    refuse("deadline for ever", "DEADLINE_EXCEEDED", *FAILED, "narrow the window"),
    Fault("empty pages", {"search_s": 0}),
    Fault("short pages", {"page_bytes": 200_000}),
    Fault("slow", {"latency_s": 0.05, "jitter_s": 0.05}),
    Fault("cut in mid-page once", cuts=(1, 100_000)),
    Fault("cut in mid-page for ever", {}, *FAILED, "does not answer", cuts=(10_000, 100_000)),
    Fault("not there yet", {"ingestion_delay_s": 3600}, kept=0),
    Fault("gone", {"retention_days": 1}, kept=0),
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """With one session of two pages."""
    with run_server() as server:
        server.write(lines(WRITTEN))
        yield server


@pytest.fixture(scope="module")
def relay(server: Server) -> Iterator[Relay]:
    with open_relay(server.address) as relay:
        yield relay


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.name)
def fault(
    request: pytest.FixtureRequest, server: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fault]:
    """One of them, in force."""
    for name in ("QUOTA_WAIT_S", "PERMISSION_WAIT_S"):
        monkeypatch.setattr(patience, name, 0.01)
    monkeypatch.setattr(patience, "WAITS_S", (0.01,) * len(patience.WAITS_S))
    defaults = Switches()
    fault: Fault = request.param
    server.board.forget()
    server.board.change(fault.switches)
    relay.cuts, relay.after = fault.cuts
    yield fault
    server.board.change({name: getattr(defaults, name) for name in Switches.__slots__})
    relay.cuts = 0


@pytest.fixture
def settings(server: Server, relay: Relay) -> Settings:
    return server.settings_at(relay.address)


def check(fault: Fault, logs: SourceCoverage, code: int) -> None:
    """The state, the reason, what was kept, and the exit code that follows from them."""
    assert logs.state is fault.state, logs
    assert logs.entries >= fault.kept
    assert any(fault.words in note for note in logs.notes) or not fault.words, logs.notes
    if fault.state is State.COMPLETE:
        assert not [note for note in logs.notes if "does not answer" in note or "spent" in note]
        assert (code == ExitCode.NOTHING_FOUND) is (not fault.kept)
        assert code not in (ExitCode.SOURCE_FAILED, ExitCode.INCOMPLETE)
    elif fault.state is State.FAILED:
        assert code == ExitCode.SOURCE_FAILED
    else:
        assert code not in (ExitCode.OK, ExitCode.NOTHING_FOUND)


async def test_one_session(fault: Fault, settings: Settings) -> None:
    """``diag session``."""
    answer = await diagnose_session(SessionRequest(asked=S, settings=settings, now_ns=NOW_NS))

    found = hasattr(answer, "verdict")
    code = exits.of_diagnosis(answer, Severity.WARNING) if found else exits.of_nothing(answer)
    assert found is bool(fault.kept)
    check(fault, answer.coverage.sources[0], code)


async def test_all_sessions(fault: Fault, settings: Settings) -> None:
    """``diag sessions``; it lists, and what it finds sets no code."""
    request = SessionsRequest(settings=settings, now_ns=NOW_NS, since_ns=START_NS)
    overview = await list_sessions(request)

    assert [line.id for line in overview.sessions] == ([S] if fault.kept else [])
    code = exits.of_overview(overview)
    assert code != ExitCode.OK or fault.state is State.COMPLETE
    check(fault, overview.coverage.sources[0], code)


@dataclass(frozen=True)
class Place:
    """An address where no log service is, or one that says nothing.

    Attributes:
        patience_s: of diag; who is to begin an answer has the time for it on a slow machine, too.
    """

    name: str
    words: str
    address: str = ""
    harm: tuple[int, int] = (0, 0)
    patience_s: float = 1.0


PLACES = [
    Place("refused", "does not answer", "127.0.0.1:1"),
    Place("silent", "did not find the entries in 1 s", harm=(10_000, 0)),
    Place("silent in mid-answer", "did not find the entries in 2 s", harm=(10_000, 100_000), patience_s=2.0),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_nobody_there(
    place: Place, server: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed, with the reason and what to do; never that there is no such session."""
    monkeypatch.setattr(patience, "WAITS_S", (0.01,))
    monkeypatch.setattr(connection, "TIMEOUT_S", place.patience_s)
    settings = server.settings_at(place.address or relay.address)
    relay.harm(*place.harm, silent=True)
    answer = await diagnose_session(SessionRequest(asked=S, settings=settings, now_ns=NOW_NS))
    relay.mend()

    assert isinstance(answer, NothingFound)
    check(Fault(place.name, {}, *FAILED, place.words), answer.coverage.sources[0], exits.of_nothing(answer))
    assert all("; " in note for note in answer.coverage.sources[0].notes)
    assert relay.hit.is_set() is bool(place.harm[0])
