"""Lines and records of one session, read until nothing new turns up or the bound is met, and what is said then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from diag.app import log_source, reading, session
from diag.app.entries import Entries
from diag.app.reading import read_live
from diag.app.request import SessionRequest
from diag.catalogue import load_catalogue
from diag.errors import SourceError, UsageError
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.identifiers import classify
from diag.model.instants import NS_PER_S, parse_instant
from diag.model.queries import LogQuery
from diag.model.records import KafkaRecord, LogRecord
from diag.model.settings import KafkaSettings, LoggingSettings, Settings
from diag.model.topics import BrokerFacts, TopicFacts
from diag.model.window import MINUTE_NS, Window
from diag.sources.kafka import RecordsRead, TopicCut
from tests.cases import DEFAULTS, START_NS, read_case, to_records

S, B, W = (DEFAULTS[name] for name in "SBW")
LINES = """
00:00.001 media-server  info Using session ID from header :: sessionID=$S
00:10.000 media-server  info Audio published to Kafka successfully :: sessionID=$S
00:20.000 orchestrator  info Received session info from frontend :: connID=$W sessionID=$B
"""


@dataclass
class Source:
    """Entries as Cloud Logging gives them: those of the window that hold one of the IDs."""

    records: tuple[LogRecord, ...]
    state: State = State.COMPLETE
    queries: list[LogQuery] = field(default_factory=list)

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        self.queries.append(query)
        yield tuple(record for record in self.records if self._is_meant(record, query))

    def coverage(self) -> SourceCoverage:
        return SourceCoverage("cloud-logging", self.state, notes=())

    def asked(self) -> list[tuple[str, ...]]:
        """The IDs of each query for the session."""
        return [query.ids for query in self.queries if query.ids]

    @staticmethod
    def _is_meant(record: LogRecord, query: LogQuery) -> bool:
        text, at = str(record.data), parse_instant(record.data["timestamp"])
        return query.window.contains(at or 0) and any(one in text for one in query.ids)


@dataclass
class FakeKafka:
    """A broker's records; what is asked of it is kept."""

    records: tuple[KafkaRecord, ...]
    cut: tuple[TopicCut, ...] = ()
    problem: str = ""
    failure: Exception | None = None
    misnamed: tuple[str, ...] = ()
    asked: list[tuple[Window, frozenset[str]]] = field(default_factory=list)

    async def read_broker(self, _settings: KafkaSettings, now_ns: int) -> BrokerFacts:
        return BrokerFacts("c", now_ns, {"audio-in": TopicFacts("audio-in", {0: (0, 99)})}, {})

    async def read_records(
        self, _settings: KafkaSettings, window: Window, ids: frozenset[str], *_: Any
    ) -> RecordsRead:
        self.asked.append((window, ids))
        if self.failure is not None:
            raise self.failure
        found = (
            r
            for r in self.records
            if window.contains(r.time_ns) and (ids & {*r.session_ids} or not r.session_ids)
        )
        return RecordsRead(tuple(found), 100, self.cut, self.problem, misnamed=self.misnamed)


Diagnose = Callable[..., Any]


@pytest.fixture
def diagnose(monkeypatch: pytest.MonkeyPatch) -> Diagnose:
    """Runs the whole command on a log source and a broker."""

    async def run(source: Source, kafka: FakeKafka, asked: str = S, **request: Any) -> Diagnosis:
        monkeypatch.setattr(log_source, "open_source", lambda *_: source)
        monkeypatch.setattr("diag.sources.kafka.read_broker", kafka.read_broker)
        monkeypatch.setattr("diag.sources.kafka.read_records", kafka.read_records)
        settings = Settings(LoggingSettings(project="p"), kafka=KafkaSettings("b:1"))
        now = START_NS + 3600 * NS_PER_S
        answer = await session.diagnose_session(
            SessionRequest(asked=asked, settings=settings, now_ns=now, **request)
        )
        assert isinstance(answer, Diagnosis)
        return answer

    return run


def source(text: str = LINES, **values: Any) -> Source:
    return Source(to_records(read_case(text).entries), **values)


def record(offset: int, key: str | None, header: str | None = None, second: int = 5) -> KafkaRecord:
    headers = () if header is None else (("session-id", header),)
    return KafkaRecord("audio-in", 0, offset, START_NS + second * NS_PER_S, key, headers)


def kafka_of(diagnosis: Diagnosis) -> SourceCoverage:
    coverage = diagnosis.coverage.find("kafka")
    assert coverage is not None
    return coverage


async def test_an_id_that_only_kafka_ties_to_the_session_is_read_from_the_logs(diagnose: Diagnose) -> None:
    """Its lines, what these are linked to, and its records; the same session whichever ID is asked for."""
    logs, kafka = source(), FakeKafka((record(1, S), record(2, S, B), record(3, B, second=25)))
    diagnosis = await diagnose(logs, kafka)

    assert logs.asked() == [(S,), (B,), (W,)]
    assert {S, B, W} == diagnosis.session.members
    assert [r.offset for flow in diagnosis.session.flows for r in flow.records] == [1, 2, 3]
    assert [ids for _, ids in kafka.asked] == [{S}, {S, B, W}]
    assert kafka_of(diagnosis).state is State.COMPLETE
    other = await diagnose(source(), FakeKafka(kafka.records), asked=B)
    assert other.session.members == diagnosis.session.members


async def test_nothing_new_in_the_records_costs_no_further_query(diagnose: Diagnose) -> None:
    """One look at the broker, one at the logs."""
    logs, kafka = source(), FakeKafka((record(1, S, S),))
    await diagnose(logs, kafka)

    assert logs.asked() == [(S,)]
    assert len(kafka.asked) == 1


async def test_files_are_not_read_again_and_records_of_linked_ids_are(diagnose: Diagnose) -> None:
    """All that the files have was read at once."""

    class Whole(Source):
        async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
            self.queries.append(query)
            yield self.records

    logs, kafka = Whole(to_records(read_case(LINES).entries)), FakeKafka((record(1, S, B), record(2, B)))
    diagnosis = await diagnose(logs, kafka, files=("a.json",))

    assert len(logs.queries) == 1
    assert [r.offset for flow in diagnosis.session.flows for r in flow.records] == [1, 2]


async def test_records_that_lead_on_and_on_are_bounded_and_it_is_said(diagnose: Diagnose) -> None:
    """A chain of IDs, each tied to the next."""
    chain = [S, *(f"session_175361560{n:04d}_abcdefghi" for n in range(1000, 1010))]
    kafka = FakeKafka(tuple(record(n, chain[n], chain[n + 1]) for n in range(10)))
    diagnosis = await diagnose(source(), kafka)

    assert len(kafka.asked) == 3
    assert kafka_of(diagnosis).state is State.PARTIAL
    assert "new IDs after 3 rounds" in kafka_of(diagnosis).notes[0]


async def test_records_are_sought_in_the_sessions_own_time(diagnose: Diagnose) -> None:
    """A minute around its lines, where all of them came; else in the whole window."""
    kafka = FakeKafka(())
    await diagnose(source(), kafka)
    partly = FakeKafka(())
    diagnosis = await diagnose(source(state=State.PARTIAL), partly)

    span = Window(START_NS, START_NS + 10 * NS_PER_S + 1)  # from the mint time on
    assert [window for window, _ in kafka.asked] == [span.around(MINUTE_NS)]
    assert [window for window, _ in partly.asked] == [diagnosis.query.window]


async def test_records_of_a_session_whose_lines_are_all_late_are_sought_from_its_birth(
    diagnose: Diagnose,
) -> None:
    """A consumer that reads old records again: they are as old as the session's ID."""
    kafka = FakeKafka(())
    await diagnose(source("12:00.000 orchestrator info Processing audio session :: sessionID=$S"), kafka)

    assert [window.start_ns for window, _ in kafka.asked] == [START_NS - MINUTE_NS]


async def test_what_was_read_before_a_failure_is_kept_and_labelled(diagnose: Diagnose) -> None:
    """Partial, with the reason and what of which topic is missing."""
    cut = (TopicCut("audio-in", 10, 90), TopicCut("audio-out", 0, 3))
    diagnosis = await diagnose(
        source(), FakeKafka((record(1, S),), cut, "Kafka at b:1 stopped sending records")
    )

    assert [r.offset for flow in diagnosis.session.flows for r in flow.records] == [1]
    assert kafka_of(diagnosis).state is State.PARTIAL
    (note,) = kafka_of(diagnosis).notes
    assert "looked at (audio-in: 10 of 90, audio-out: 0 of 3); Kafka at b:1 stopped sending records" in note


async def test_the_bound_on_records_says_how_to_raise_it(diagnose: Diagnose) -> None:
    """By topic."""
    diagnosis = await diagnose(source(), FakeKafka((), (TopicCut("audio-in", 10, 90),)))

    assert kafka_of(diagnosis).notes[0].endswith("(audio-in: 10 of 90); raise kafka.max_records")


async def test_records_that_others_stumble_over_are_counted_and_named(diagnose: Diagnose) -> None:
    """Nothing of them is missing here, so the source is complete; however many they are, few are named."""
    refs = tuple(f"audio-in/0@{n}" for n in range(10, 17))
    diagnosis = await diagnose(source(), FakeKafka((record(1, S),), misnamed=refs))

    assert kafka_of(diagnosis).state is State.COMPLETE
    (note,) = kafka_of(diagnosis).notes
    assert note.startswith("7 records have a header whose name is not UTF-8 (audio-in/0@10, audio-in/0@11, ")
    assert "audio-in/0@14, ..): read" in note


async def test_a_broker_that_fails_costs_no_line(diagnose: Diagnose) -> None:
    """The topics stand, the records are unknown."""
    diagnosis = await diagnose(source(), FakeKafka((), failure=SourceError("gone", hint="try again")))

    assert len(diagnosis.session.events) == 2
    assert (kafka_of(diagnosis).state, kafka_of(diagnosis).notes) == (State.PARTIAL, ("gone; try again",))
    assert all(flow.stored is None for flow in diagnosis.session.flows)


async def test_an_address_without_sense_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not after minutes of reading logs."""
    logs = source()
    monkeypatch.setattr(log_source, "open_source", lambda *_: logs)
    settings = Settings(LoggingSettings(project="p"), kafka=KafkaSettings("::::"))
    with pytest.raises(UsageError, match=r"kafka\.bootstrap"):
        await session.diagnose_session(SessionRequest(asked=S, settings=settings, now_ns=START_NS))

    assert logs.queries == []


def request_at(now_ns: int) -> SessionRequest:
    return SessionRequest(asked=S, settings=Settings(LoggingSettings(project="p")), now_ns=now_ns)


async def test_the_window_given_is_one_that_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session at the edge whose rounds ran out just as the window was to be widened."""
    monkeypatch.setattr(reading, "MOST_ROUNDS", 1)
    logs = source("14:59.000 media-server info Received remote track :: sessionID=$S")
    entries = Entries(logs, load_catalogue())
    window = await read_live(entries, classify(S), request_at(START_NS + 7200 * NS_PER_S))

    assert [query.window for query in logs.queries] == [window]
    assert entries.coverage().state is State.PARTIAL
    assert "stopped after 1 rounds of reading; not read: " + S in entries.coverage().notes[0]


async def test_rounds_that_run_out_on_links_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """IDs that were not asked for are named."""
    monkeypatch.setattr(reading, "MOST_ROUNDS", 1)
    logs = source("00:01.000 orchestrator info WebSocket message :: connID=$W sessionID=$S")
    entries = Entries(logs, load_catalogue())
    await read_live(entries, classify(S), request_at(START_NS + 7200 * NS_PER_S))

    assert W in entries.coverage().notes[0]


async def test_a_session_inside_its_window_is_complete() -> None:
    """Nothing is said where nothing is left to ask."""
    entries = Entries(source(), load_catalogue())
    await read_live(entries, classify(S), request_at(START_NS + 7200 * NS_PER_S))

    assert entries.coverage().state is State.COMPLETE
