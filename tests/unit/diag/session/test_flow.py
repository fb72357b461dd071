"""What of Kafka belongs to a session."""

from __future__ import annotations

from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.identifiers import classify
from diag.model.records import KafkaRecord
from diag.model.session import Session, TopicFlow
from diag.model.topics import BrokerFacts
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
