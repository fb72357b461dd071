"""What of Kafka belongs to a session."""

from __future__ import annotations

from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.flow import TopicFlow
from diag.model.identifiers import classify
from diag.model.records import KafkaRecord
from diag.model.session import Session
from diag.model.topics import BrokerFacts, GroupFacts, TopicFacts
from diag.normalise import join_frames, to_frame
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder
from tests.cases import DEFAULTS, read_case, to_records

S, B = DEFAULTS["S"], DEFAULTS["B"]
LINES = "00:00.001 media-server info Using session ID from header :: sessionID=$S"


def rebuilt(
    *records: KafkaRecord, broker: BrokerFacts | None = None, lines: str = LINES, read: bool = True
) -> Session:
    catalogue = load_catalogue()
    frame = join_frames([to_frame(to_records(read_case(lines).entries), catalogue)])
    reading = Reading(
        EventFinder(frame, catalogue),
        catalogue,
        records=records if read else None,
        broker=broker,
        wanted=load_wanted_topics(),
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
