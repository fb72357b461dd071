"""What of Kafka belongs to a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.flow import TopicFlow
from diag.model.identifiers import classify
from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.model.session import Session
from diag.model.topics import BrokerFacts, GroupFacts, TopicFacts
from diag.normalise import join_frames, to_frame
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, START_NS, read_case, to_records

S, B = DEFAULTS["S"], DEFAULTS["B"]
LINES = "00:00.001 media-server info Using session ID from header :: sessionID=$S"


def rebuilt(
    *records: KafkaRecord,
    broker: BrokerFacts | None = None,
    lines: str = LINES,
    read: bool = True,
    gaps: Mapping[str, str] = MappingProxyType({}),
) -> Session:
    catalogue = load_catalogue()
    frame = join_frames([to_frame(to_records(read_case(lines).entries), catalogue)])
    reading = Reading(
        EventFinder(frame, catalogue),
        catalogue,
        records=records if read else None,
        broker=broker,
        wanted=load_wanted_topics(),
        record_gaps=gaps,
    )
    session = reconstruct(classify(S), reading)
    assert session is not None
    return session


def audio_in(session: Session) -> TopicFlow:
    return next(flow for flow in session.flows if flow.topic == "audio-in")


def test_a_record_without_a_key_is_its_headers_sessions() -> None:
    """It is stored, and not lost."""
    session = rebuilt(KafkaRecord("audio-in", 0, 7, 1, None, (("session-id", S),)))

    assert audio_in(session).stored == 1
    assert session.lost_records == ()


def test_a_record_whose_header_lost_the_id_is_lost_and_still_stored_under_its_key() -> None:
    """The key says whose it is, the header which hop lost the ID."""
    record = KafkaRecord("audio-in", 0, 7, 1, S, (("session-id", "undefined"),))
    nobodys = KafkaRecord("audio-in", 0, 8, 1, None, (("session-id", "undefined"),))
    session = rebuilt(record, nobodys)

    assert audio_in(session).records == (record,)
    assert session.lost_records == (record, nobodys)


READER = "orchestrator-group-v2"
RECORDS = tuple(KafkaRecord("audio-in", p, o, 1, S) for p, o in ((0, 3), (0, 4), (1, 0)))


def broker_with(**commits: dict[int, int]) -> BrokerFacts:
    """A broker whose groups have committed on audio-in; ``_`` stands for ``-`` in a name."""
    groups = {name.replace("_", "-"): offsets for name, offsets in commits.items()}
    facts = {
        name: GroupFacts(name, "Stable", (), True, {"audio-in": offsets}) for name, offsets in groups.items()
    }
    return BrokerFacts("c", 0, {"audio-in": TopicFacts("audio-in", {0: (0, 5), 1: (0, 1)})}, facts)


def test_what_the_readers_group_has_committed_behind_is_consumed() -> None:
    """Offsets decide, partition by partition; another group's commits do not count, nor does its lag."""
    flow = audio_in(
        rebuilt(*RECORDS, broker=broker_with(orchestrator_group_v2={0: 4, 1: 1}, auditor={0: 0, 1: 0}))
    )

    assert (flow.stored, flow.consumed, flow.lag, flow.partitions) == (3, 2, 1, (0, 1))
    assert flow.consumed_by_other == 0


def test_nothing_is_known_of_consumption_without_records_group_or_commit() -> None:
    """A group that never committed on the partition of a record may have read it or not."""
    all_read = broker_with(orchestrator_group_v2={0: 5, 1: 1})
    half_known = broker_with(orchestrator_group_v2={0: 5})
    never = broker_with(orchestrator_group_v2={})

    assert audio_in(rebuilt(*RECORDS, broker=all_read)).consumed == 3
    assert audio_in(rebuilt(broker=all_read)).consumed == 0
    assert audio_in(rebuilt(broker=all_read, read=False)).consumed is None
    assert audio_in(rebuilt(*RECORDS, broker=half_known)).consumed is None
    assert audio_in(rebuilt(*RECORDS, broker=never)).consumed is None
    other = audio_in(rebuilt(*RECORDS, broker=broker_with(auditor={0: 5, 1: 1})))
    assert (other.consumed, other.lag) == (None, None)


def test_lines_of_consumption_are_a_note() -> None:
    """One may stand for an utterance of fifty records."""
    lines = LINES + "\n00:01.000 orchestrator info Processing audio session :: sessionID=$S"
    flow = audio_in(rebuilt(*RECORDS[:2], lines=lines))

    assert flow.consumed is None
    assert flow.notes == ("1 line of consumption",)


def published(count: int, records: str = "") -> str:
    line = (
        f"00:01.000 media-server info Audio published to Kafka successfully :: sessionID=$S records={records}"
    )
    return "\n".join([LINES, *(line.replace("01.000", f"01.{n:03}") for n in range(count))])


def test_lines_of_success_prove_no_storage() -> None:
    """What they count stands beside what is stored, and takes nothing from it."""
    flow = audio_in(rebuilt(*RECORDS, lines=published(5)))

    assert (flow.produced, flow.stored) == (5, 3)


@pytest.mark.parametrize(("records", "produced"), [("7", 7), ("\u00b2", 1), ("9" * 19, 1), ("-3", 1)])
def test_a_line_counts_what_it_says_and_else_one(records: str, produced: int) -> None:
    """Text from a log is no number until it is one."""
    assert audio_in(rebuilt(lines=published(1, records))).produced == produced


def test_the_owner_lags_where_records_lie_above_its_offset() -> None:
    """The note says where it stands."""
    flow = audio_in(rebuilt(*RECORDS, broker=broker_with(orchestrator_group_v2={0: 4, 1: 1})))

    assert (flow.consumed, flow.lagging) == (2, 1)
    assert flow.consumed + flow.lagging == flow.stored
    assert any(f"group {READER} has 1 of 2 still to read in partition 0" in note for note in flow.notes)


def test_another_group_is_named_with_what_it_came_past() -> None:
    """It loses the owner nothing."""
    flow = audio_in(
        rebuilt(*RECORDS, broker=broker_with(orchestrator_group_v2={0: 3, 1: 0}, spy={0: 5, 1: 1}))
    )

    assert (flow.consumed, flow.consumed_by_other) == (0, 3)
    assert "also read by group spy (3 of 3)" in flow.notes


def test_a_group_that_keeps_its_commits_to_itself_is_not_one_without_commits() -> None:
    """Neither is anything known of what others consumed, nor is a commit missing."""
    shut = GroupFacts(READER, "Stable", (), True, {}, commits_known=False)
    broker = replace(broker_with(), groups={READER: shut})
    flow = audio_in(rebuilt(*RECORDS, broker=broker))

    assert (flow.consumed, flow.consumed_by_other) == (None, None)
    assert f"the broker does not tell how far group {READER} is" in flow.notes


def test_a_topic_that_was_not_read_to_its_end_gives_a_least_number() -> None:
    """And none at all where nothing of the session was among what was read."""
    some = audio_in(rebuilt(*RECORDS, gaps={"audio-in": "9 of 40"}))
    none = audio_in(rebuilt(gaps={"audio-in": "9 of 40"}))

    assert (some.stored, some.complete, "at least: 9 of 40" in some.notes) == (3, False, True)
    assert (none.stored, none.complete, "records not known: 9 of 40" in none.notes) == (None, False, True)


OWN_READER = """\
00:00.001 media-server info Using session ID from header :: sessionID=$S
00:00.002 media-server info Starting audio consumer :: sessionID=$S
00:10.000 media-server info Audio consumer stopped :: sessionID=$S
00:20.000 media-server info Using session ID from header :: sessionID=$S"""


@pytest.mark.parametrize(
    "before", ["", "00:00.000 media-server info Audio consumer stopped :: sessionID=$S\n"]
)
def test_a_reply_after_the_sessions_reader_had_ended_went_to_another(before: str) -> None:
    """The owners' group came past it, so a reader of another session took it; an end without a start is none."""
    reply = KafkaRecord("audio-out", 0, 0, START_NS + 18 * NS_PER_S, S)
    group = GroupFacts("media-server-group", "Stable", (), True, {"audio-out": {0: 1}})
    facts = TopicFacts("audio-out", {0: (0, 1)})
    broker = BrokerFacts("c", 0, {"audio-out": facts}, {group.name: group})
    flows = rebuilt(reply, broker=broker, lines=before + OWN_READER).flows
    flow = next(flow for flow in flows if flow.topic == "audio-out")

    assert (flow.consumed, flow.consumed_by_other) == (1, 1)
    assert any("1 record taken by others" in note for note in flow.notes)


def test_readers_that_share_the_group_are_a_note() -> None:
    """No offset tells which of them got the reply."""
    lines = OWN_READER + "\n00:05.000 media-server info Starting audio consumer :: sessionID=$B"
    reply = KafkaRecord("audio-out", 0, 0, START_NS + 6 * NS_PER_S, S)
    flows = rebuilt(reply, lines=lines).flows
    flow = next(flow for flow in flows if flow.topic == "audio-out")

    assert "2 readers ran at once on the session's pod, and no line says that it got its own" in flow.notes
    assert flow.consumed_by_other is None
