"""Where callers are, who is waited for, and that nothing is left of those who are gone."""

from __future__ import annotations

import asyncio
import time

import pytest

from pipeline.orchestrator import whereabouts
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.memory import BoundSession, Memory, NoKeeper, SentMessage, StoredExchange
from pipeline.orchestrator.store import StateStore
from pipeline.orchestrator.whereabouts import Away, Here, There
from pipeline.wire.log_lines import Log
from pipeline.wire.records import SessionEvent

SESSION, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601373_abcdefghi"
LONG_AGO_MS, FAR_AHEAD_MS = 1, 10**15


@pytest.fixture
def told() -> list[SessionEvent]:
    """What the other replicas hear."""
    return []


@pytest.fixture
async def callers(told) -> Callers:
    """The callers of replica a."""
    return Callers("a", told.append)


async def test_a_caller_is_where_the_socket_was_bound_last(callers, told) -> None:
    """And nowhere before."""
    assert await callers.locate(SESSION) is None
    callers.bind(SESSION, "ws_1", None)
    callers.bind(SESSION, "ws_2", None)
    callers.release(SESSION, "ws_1", for_good=True)

    assert await callers.locate(SESSION) == Here("ws_2")
    assert [(event.kind, event.connection_id) for event in told] == [("bound", "ws_1"), ("bound", "ws_2")]


async def test_a_caller_who_hung_up_is_gone_everywhere(callers, told) -> None:
    """With all that was remembered of the session."""
    callers.bind(SESSION, "ws_1", None)
    callers.sent.note(SentMessage("m", SESSION, "{}"))
    callers.conversations.add(StoredExchange("turn_1", SESSION, "hello", "good day"))
    callers.release(SESSION, "ws_1", for_good=True)

    assert await callers.locate(SESSION) is None
    assert (len(callers), len(callers.sent), len(callers.conversations)) == (0, 0, 0)
    assert told[-1].kind == "ended"


async def test_a_caller_whose_socket_broke_is_waited_for(callers, told) -> None:
    """Until the caller is back, at whichever replica."""
    callers.bind(SESSION, "ws_1", None)
    callers.release(SESSION, "ws_1", for_good=False)
    waiting = asyncio.create_task(callers.locate(SESSION))
    await asyncio.sleep(0)
    callers.bind(OTHER, "ws_2", None)  # somebody else's coming is no reason to stop waiting
    await asyncio.sleep(0)
    assert not waiting.done()

    callers.hear(SessionEvent("bound", SESSION, "b", "ws_3"), FAR_AHEAD_MS)
    assert await waiting == There("b")
    assert [event.kind for event in told] == ["bound", "lost", "bound"]


async def test_a_caller_who_does_not_come_back_is_forgotten(callers, monkeypatch) -> None:
    """After a while; what a late turn has remembered of the session, too."""
    callers.bind(SESSION, "ws_1", None)
    callers.release(SESSION, "ws_1", for_good=False)
    callers.conversations.add(StoredExchange("turn_1", SESSION, "hello", "good day"))
    callers.expire()
    assert isinstance(callers.find(SESSION), Away)

    monkeypatch.setattr(whereabouts, "AWAY_S", -1.0)
    callers.expire()
    assert (len(callers), len(callers.conversations)) == (0, 0)


async def test_a_caller_who_said_nothing_and_does_not_come_back_is_not_kept(
    tmp_path, lines, monkeypatch
) -> None:
    """The next process does not recover a session that is over."""
    store = StateStore(tmp_path, Log("orchestrator"))
    callers = Callers("a", keeper=store)
    callers.bind(SESSION, "ws_1", None)
    callers.release(SESSION, "ws_1", for_good=False)
    assert store.load().sessions

    monkeypatch.setattr(whereabouts, "AWAY_S", -1.0)
    callers.expire()
    assert store.load().sessions == ()
    store.close()


async def test_very_many_callers_of_others_cost_the_file_nothing(monkeypatch) -> None:
    """They were never in it; to look for each of them there would stop the loop for seconds."""
    forgotten: list[str] = []
    monkeypatch.setattr(NoKeeper, "forget", lambda _self, session_id: forgotten.append(session_id))
    monkeypatch.setattr(whereabouts, "MOST_SESSIONS", 10)
    callers = Callers("a")
    for number in range(1_000):
        callers.hear(SessionEvent("bound", f"session_{number}", "b"), LONG_AGO_MS)
    callers.expire()

    assert forgotten == []
    assert len(callers) == len(callers._bound_ms) == 10


async def test_a_caller_who_could_not_be_reached_leaves_nothing(callers, monkeypatch) -> None:
    """A send that failed comes before the end of its socket: no table keeps the session for ever."""
    callers.bind(SESSION, "ws_1", None)
    callers.miss(SESSION, Here("ws_1"))
    callers.release(SESSION, "ws_1", for_good=False)
    monkeypatch.setattr(whereabouts, "AWAY_S", -1.0)
    callers.expire()

    assert len(callers) == 0
    assert SESSION not in callers._bound_ms


async def test_what_another_replica_told_before_is_history(callers) -> None:
    """The caller has come here since; what it tells afterwards counts, and our socket has lost."""
    callers.bind(SESSION, "ws_1", None)

    assert callers.hear(SessionEvent("bound", SESSION, "b", "ws_9"), LONG_AGO_MS) is None
    assert callers.find(SESSION) == Here("ws_1")
    assert callers.hear(SessionEvent("bound", SESSION, "b", "ws_9"), FAR_AHEAD_MS) == "ws_1"
    assert callers.find(SESSION) == There("b")


@pytest.mark.parametrize("told_ms", [LONG_AGO_MS, FAR_AHEAD_MS])
async def test_a_binding_of_the_future_does_not_win_for_ever(callers, told_ms: int) -> None:
    """Whatever time somebody writes into a record: the next binding, at whichever replica, is the last one."""
    callers.hear(SessionEvent("bound", SESSION, "b", "ws_9", at_ms=FAR_AHEAD_MS), told_ms)
    now_ms = time.time_ns() // 1_000_000
    callers.hear(SessionEvent("bound", SESSION, "c", "ws_3", at_ms=now_ms), now_ms)

    assert callers.find(SESSION) == There("c")


async def test_a_replica_speaks_for_its_own_callers_only(callers) -> None:
    """A caller who has moved on is not lost by the end of the old socket."""
    callers.hear(SessionEvent("bound", SESSION, "b"), FAR_AHEAD_MS)
    callers.hear(SessionEvent("bound", SESSION, "c"), FAR_AHEAD_MS)
    for kind in ("lost", "ended"):
        callers.hear(SessionEvent(kind, SESSION, "b"), FAR_AHEAD_MS)

    assert callers.find(SESSION) == There("c")


async def test_the_sessions_of_the_process_before_are_expected_back() -> None:
    """Their callers are away, not unknown; what was said and sent is still known."""
    memory = Memory(
        sessions=(BoundSession(SESSION, "ws_1", None),),
        exchanges=(StoredExchange("turn_1", SESSION, "hello", "good day"),),
        sent=(SentMessage("m", SESSION, "{}"),),
    )
    callers = Callers("a", memory=memory)

    assert isinstance(callers.find(SESSION), Away)
    assert callers.sent.after(SESSION, "m") == ()
    assert len(callers.conversations) == 1


def test_the_table_of_places_is_bounded(monkeypatch) -> None:
    """What other replicas tell cannot fill this one."""
    monkeypatch.setattr(whereabouts, "MOST_SESSIONS", 2)
    places = whereabouts.Whereabouts()
    for number in range(3):
        places.note(f"session_{number}", There("b"), 0.0)

    assert len(places) == 2
    assert places.find("session_0") is None


def test_a_caller_who_is_here_is_not_forgotten_for_those_elsewhere(monkeypatch) -> None:
    """However long ago that socket was bound."""
    monkeypatch.setattr(whereabouts, "MOST_SESSIONS", 2)
    places = whereabouts.Whereabouts()
    places.note("session_here", Here("ws_1"), 0.0)
    for number in range(3):
        places.note(f"session_{number}", There("b"), 0.0)

    assert places.find("session_here") == Here("ws_1")
    assert len(places) == 2


def test_a_replica_that_ended_without_a_word_has_no_callers_any_more() -> None:
    """It does not tell them again; one that does keeps them, and a caller who is here stays."""
    places = whereabouts.Whereabouts()
    places.note("session_here", Here("ws_1"), 0.0)
    places.note("session_there", There("b"), 0.0)
    places.note("session_gone", There("c"), 0.0)
    places.note("session_there", There("b"), whereabouts.SILENT_S)

    assert places.expire(whereabouts.SILENT_S + 1) == ["session_gone"]
    assert (places.find("session_here"), places.find("session_there")) == (Here("ws_1"), There("b"))
