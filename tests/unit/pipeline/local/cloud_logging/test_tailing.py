"""Live tailing through the official client."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.types import TailLogEntriesRequest, TailLogEntriesResponse

from pipeline.local.cloud_logging import tailing
from pipeline.local.cloud_logging.store import StoredEntry
from pipeline.local.cloud_logging.tailing import Session, Wish

NOW_S = time.time()
RATE_LIMIT, NOT_CONSUMED = 1, 2


def ask(server, **fields):
    """An open session; its responses come by iteration."""
    request = TailLogEntriesRequest(resource_names=["projects/test-project"], **fields)
    return server.client.tail_log_entries(iter([request]), timeout=30)


class Tailed:
    """What a session gives, collected by a thread: the official client waits for the first answer."""

    def __init__(self, server, fields):
        self.answers = []
        self.stream = None
        threading.Thread(target=self._collect, args=(server, fields), daemon=True).start()

    def _collect(self, server, fields):
        with suppress(exceptions.GoogleAPICallError):
            self.stream = ask(server, **fields)
            self.answers.extend(self.stream)

    @property
    def ids(self):
        return "".join(entry.insert_id for answer in self.answers for entry in answer.entries)


@pytest.fixture
def tail(eventually):
    """`tail(server, **fields)`: a session that is known to be open."""

    def start(server, **fields):
        before = len(server.sessions._open)
        tailed = Tailed(server, {"buffer_window": {"seconds": 0}, **fields})
        eventually(lambda: len(server.sessions._open) > before)
        return tailed

    return start


def test_entries_come_as_they_arrive(logging_server, entry, tail, eventually):
    """Those that match, and only what came after the session began."""
    logging_server.write(entry(NOW_S, "z"))
    tailed = tail(logging_server, filter="severity>=ERROR")

    logging_server.write(entry(NOW_S, "a", severity=500), entry(NOW_S, "b"))
    logging_server.write(entry(NOW_S, "a", severity=500), entry(NOW_S, "c", severity=600))

    eventually(lambda: tailed.ids == "ac")


def test_the_buffer_window_brings_late_ones_into_order(logging_server, entry, tail, eventually):
    """What arrives within it is ordered by its own time."""
    logging_server.sessions.now_ns = lambda: now_ns
    now_ns = 0
    tailed = tail(logging_server, buffer_window={"seconds": 1})

    logging_server.write(entry(NOW_S + 1, "b"))
    logging_server.write(entry(NOW_S, "a"))
    now_ns = 10**9

    eventually(lambda: tailed.ids == "ab")


def test_the_lag_holds_for_tailing_too(start_logging, entry, tail, eventually):
    """An entry is tailed when it could be listed."""
    server = start_logging(ingestion_delay_s=0.5)
    tailed, begin = tail(server), time.monotonic()

    server.write(entry(NOW_S, "a"))

    eventually(lambda: tailed.ids == "a")
    assert time.monotonic() - begin >= 0.5


def test_more_than_the_rate_is_suppressed_and_counted(start_logging, entry, tail, eventually):
    """The newest are preferred."""
    server = start_logging(tail_entries_per_minute=2)
    tailed = tail(server)

    server.write(*(entry(NOW_S + n, letter) for n, letter in enumerate("abcde")))

    eventually(lambda: tailed.answers)
    answer = tailed.answers[0]
    assert [one.insert_id for one in answer.entries] == ["d", "e"]
    assert [(one.reason, one.suppressed_count) for one in answer.suppression_info] == [(RATE_LIMIT, 3)]


def test_what_nobody_reads_is_lost_and_counted(monkeypatch):
    """A client that does not read loses the oldest, and hears how many."""
    monkeypatch.setattr(tailing, "MOST_WAITING", 3)
    session = Session(Wish(frozenset({"p"}), lambda _: True, 0), lambda: 5)
    session.offer([StoredEntry((n, "", "p"), 0, {}, b"") for n in range(5)], 0)

    answer = TailLogEntriesResponse.pb().FromString(next(session.responses(lambda: 100)))

    assert [(one.reason, one.suppressed_count) for one in answer.suppression_info] == [(NOT_CONSUMED, 2)]


def test_so_many_sessions_and_no_more(start_logging, entry, tail, eventually):
    """Over the limit is RESOURCE_EXHAUSTED; a session that ends makes room."""
    server = start_logging(tail_sessions=1)
    tailed = tail(server)

    with pytest.raises(exceptions.ResourceExhausted, match="Too many live tailing sessions"):
        next(iter(ask(server)))

    server.write(entry(NOW_S, "a"))
    eventually(lambda: tailed.ids)
    tailed.stream.cancel()
    eventually(lambda: not server.sessions._open)
    tail(server)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"filter": "("}, "Unparseable filter"),
        ({"buffer_window": {"seconds": 61}}, "buffer_window"),
        ({"resource_names": []}, "resource_names"),
    ],
)
def test_wrong_requests_are_refused(logging_server, fields, words):
    """As they are when they are listed."""
    request = TailLogEntriesRequest(**{"resource_names": ["projects/test-project"], **fields})

    with pytest.raises(exceptions.InvalidArgument, match=words):
        next(iter(logging_server.client.tail_log_entries(iter([request]), timeout=30)))


def test_faults_hold_for_tailing_too(start_logging):
    """It is a read."""
    server = start_logging(refuse_reads="UNAUTHENTICATED")

    with pytest.raises(exceptions.Unauthenticated):
        next(iter(ask(server)))


def test_a_session_that_is_closed_while_it_waits_ends():
    """Nobody is left behind in a thread."""
    session = Session(Wish(frozenset(), lambda _: True, 0), time.time_ns)
    waiting = threading.Thread(target=lambda: list(session.responses(lambda: 1)))
    waiting.start()

    session.close()

    waiting.join(20)
    assert not waiting.is_alive()
