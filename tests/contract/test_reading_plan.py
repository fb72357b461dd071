"""``--explain-plan`` against the local Cloud Logging server: it says what a run does, and sends nothing."""

from __future__ import annotations

import pytest

from diag import lql
from diag.app.plan import plan_session, plan_sessions
from diag.app.request import SessionRequest, SessionsRequest
from diag.app.session import diagnose_session
from diag.app.sessions import list_sessions
from diag.model.instants import NS_PER_S
from diag.model.settings import Settings
from tests.cases import START_NS
from tests.contract.logging_server import S, Server, lines

NOW_NS = START_NS + 7200 * NS_PER_S


def one(settings: Settings, asked: str = S, **values) -> SessionRequest:
    return SessionRequest(asked=asked, settings=settings, now_ns=NOW_NS, **values)


def all_of_them(settings: Settings) -> SessionsRequest:
    return SessionsRequest(settings=settings, now_ns=NOW_NS, since_ns=START_NS)


@pytest.fixture
def server(serve) -> Server:
    """With a session of three pages."""
    server = serve()
    server.write(lines(2500))
    return server


async def test_the_filters_of_a_plan_are_those_of_the_run(server: Server) -> None:
    """To the character, in order; what is marked as not certain differs in its window at most."""
    plan = await plan_session(one(server.settings()))
    assert server.filters == []

    await diagnose_session(one(server.settings()))

    session, _, surroundings = plan.queries
    assert session.certain
    assert session.filters == (server.filters[0],)
    assert not surroundings.certain
    assert without_times(surroundings.filters[0]) == without_times(server.filters[-1])


def without_times(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("timestamp"))


async def test_nothing_found_takes_the_least_and_just_the_planned_filters(serve) -> None:
    """Then nothing leads further, and the plan is the whole run."""
    server = serve()
    plan = await plan_session(one(server.settings()))

    await diagnose_session(one(server.settings()))

    planned = [text for query in plan.queries for text in query.filters]
    assert server.filters == planned
    assert plan.least_requests == len(planned)


async def test_the_plan_of_a_window_is_its_run(server: Server) -> None:
    """One filter for all sessions, for parts of its window after a full page, and no more requests than the bound."""
    plan = await plan_sessions(all_of_them(server.settings()))
    assert server.filters == []

    await list_sessions(all_of_them(server.settings()))

    (query,) = plan.queries
    assert query.filters == (server.filters[0],)
    assert {without_times(text) for text in server.filters} == set(map(without_times, query.filters))
    assert any("up to 8 slices" in note for note in plan.notes)
    assert plan.least_requests <= len(server.filters) <= plan.most_requests


async def test_no_run_takes_more_requests_than_its_plan_says(server: Server) -> None:
    """A bound that is none misleads; here every query takes all of its pages."""
    settings = server.settings(max_pages=1)
    plan = await plan_session(one(settings))

    await diagnose_session(one(settings))

    assert len(server.filters) <= plan.most_requests


@pytest.mark.parametrize(
    "asked", [S, "ws_1753615602114220410", 'it\'s "quoted"\\ (OR) x=~1', "\x1b[31m\u202e"]
)
async def test_every_planned_filter_passes_our_own_parser(server: Server, asked: str) -> None:
    """Whatever stands in an ID: filters are built by quoting."""
    plan = await plan_session(one(server.settings(), asked, since_ns=START_NS))

    for query in plan.queries:
        for text in query.filters:
            assert lql.to_text(lql.parse(text)) == text
