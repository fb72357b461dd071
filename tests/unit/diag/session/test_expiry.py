"""What was stored and is gone, as against what never came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.records import Entry
from diag.model.topics import BrokerFacts, TopicFacts
from diag.model.window import Window
from diag.session.flow.expiry import Expiry, find_expired

SPAN = Window(1000 * NS_PER_S, 1060 * NS_PER_S)
NOW_NS = 9000 * NS_PER_S
BEFORE, AFTER = 900 * NS_PER_S, 2000 * NS_PER_S
DELETE = {"cleanup.policy": "delete", "retention.ms": "3600000"}


def published(first: int, last: int, at_ns: int = SPAN.start_ns, records: str = "9") -> Event:
    """A producer's line with the offsets that the broker gave it."""
    fields = {"partition": "0", "first_offset": str(first), "last_offset": str(last), "records": records}
    return Event(
        Entry(at_ns, "media-server", "p", "info", "m", "r", 0, fields=fields), "media.publish", "m", ()
    )


def expired(
    *events: Event,
    offsets: tuple[int, int] | None,
    oldest_ns: int | None = BEFORE,
    missing: int | None = 3,
    settings: dict[str, str] = DELETE,
) -> Expiry:
    first = {} if oldest_ns is None else {0: oldest_ns}
    topics = {} if offsets is None else {"t": TopicFacts("t", {0: offsets}, False, first, settings)}
    return find_expired("t", BrokerFacts("c", NOW_NS, topics, {}), events, SPAN, missing)


def test_an_offset_below_the_logs_beginning_was_stored_and_is_gone() -> None:
    """A line has the broker's own word that it was stored; a line that came twice is one."""
    found = expired(published(10, 14), published(10, 14), offsets=(13, 20), oldest_ns=AFTER)

    assert found.records == 3
    assert "begins at offset 13 in 0" in found.note
    assert "it keeps 60 min and the session is 2 h old" in found.note


def test_an_offset_that_no_broker_gave_proves_nothing() -> None:
    """A failed write, or a client that never waited: both log the 0 of a message that was not sent yet."""
    failed = replace(published(0, 0), name="media.publish_failed")
    reader = replace(published(0, 0), name="kafka.reader_start")
    unsent = [published(0, 0, SPAN.start_ns + place) for place in range(3)]

    assert expired(failed, reader, offsets=(7, 20), oldest_ns=BEFORE) == Expiry(0)
    assert expired(*unsent, offsets=(7, 20), oldest_ns=BEFORE) == Expiry(0)


def test_records_that_went_before_their_time_were_deleted() -> None:
    """Retention would have kept them still: the note says so."""
    kept = {"retention.ms": str(86_400_000)}
    found = expired(published(0, 1), offsets=(2, 9), oldest_ns=AFTER, settings=kept)

    assert (found.records, "though it keeps 24 h" in found.note) == (2, True)


def test_an_offset_beyond_the_end_or_without_its_topic_was_of_an_earlier_life() -> None:
    """The topic was made anew, or is gone itself."""
    assert expired(published(5, 6), offsets=(0, 1)).note == (
        "2 records of it stored, and gone now: its log was made anew or cut back"
    )
    assert expired(published(5, 5), offsets=None) == Expiry(
        1, "1 record of it stored, and gone with the topic"
    )
    assert expired(offsets=None) == Expiry()


def test_a_line_of_after_the_broker_was_asked_proves_no_loss() -> None:
    """Its offset was not there yet."""
    assert expired(published(20, 21, NOW_NS + 1), offsets=(0, 20), missing=0) == Expiry(0)


def test_what_is_missing_from_a_log_that_lost_nothing_was_never_stored() -> None:
    """It begins at 0, holds older records than the session's and is not compacted."""
    assert expired(offsets=(0, 20)) == Expiry(0)
    assert expired(offsets=(7, 20), oldest_ns=BEFORE) == Expiry(0)


@pytest.mark.parametrize(
    ("offsets", "oldest_ns", "settings", "says"),
    [
        ((7, 20), SPAN.start_ns + NS_PER_S, DELETE, "older records went"),
        ((20, 20), None, DELETE, "older records went"),
        ((0, 20), AFTER, DELETE, "made anew since, or nothing was stored before"),
        ((0, 0), None, DELETE, "made anew since, or nothing was stored before"),
        ((0, 20), BEFORE, {"cleanup.policy": "compact"}, "keeps only the last record of each key"),
        ((0, 20), BEFORE, {}, "its settings could not be read"),
    ],
)
def test_what_may_have_gone_is_not_known_and_said(
    offsets: tuple[int, int], oldest_ns: int | None, settings: dict[str, str], says: str
) -> None:
    """Expired or never stored: no count tells, so none is given."""
    found = expired(offsets=offsets, oldest_ns=oldest_ns, settings=settings)

    assert found.records is None
    assert says in found.note


def test_nothing_is_gone_where_nothing_is_missing() -> None:
    """Whatever the log has lost was not of this session."""
    assert expired(offsets=(7, 20), oldest_ns=AFTER, missing=0) == Expiry(0)


def test_nothing_is_known_without_broker_or_time() -> None:
    """And nothing is claimed."""
    assert find_expired("t", None, (), SPAN, 3) == Expiry()
    assert find_expired("t", BrokerFacts("c", 0, {}, {}), (), None, 3) == Expiry()


@pytest.mark.parametrize(("records", "gone"), [("3", 3), ("", 2), ("900", 8)])
def test_other_sessions_records_may_lie_between_the_first_and_the_last(records: str, gone: int) -> None:
    """So as many are gone as the line counts, never as many as there are offsets."""
    assert expired(published(2, 9, records=records), offsets=(20, 30)).records == gone


@pytest.mark.parametrize(("records", "gone"), [("8", 4), ("3", 1), ("", 1)])
def test_of_a_stretch_that_is_cut_only_what_can_not_lie_in_the_rest_is_gone(records: str, gone: int) -> None:
    """Offsets 2 to 5 of 2 to 9 are gone: four of eight records, but perhaps only the first of three."""
    assert expired(published(2, 9, records=records), offsets=(6, 30)).records == gone


def test_a_consumers_line_tells_of_a_record_where_no_producers_line_does() -> None:
    """It had it from the broker, too; beside a producer's it would count twice."""
    entry = Entry(
        SPAN.start_ns, "orchestrator", "p", "info", "m", "r", 0, fields={"partition": 0, "offset": 4}
    )
    consumed = Event(entry, "kafka.consume", "o", ())

    assert expired(consumed, offsets=(9, 9)).records == 1
    assert expired(consumed, published(2, 5), offsets=(9, 9)).records == 4


@pytest.mark.parametrize("offset", ["-1", "x", "", "9" * 30, "\u0663", "\u00b2"])
def test_what_is_no_offset_tells_nothing(offset: str) -> None:
    """An answer without acknowledgement is -1, and text from a log may be anything."""
    fields = {"partition": "0", "first_offset": offset, "last_offset": "9" * 18}
    entry = Entry(SPAN.start_ns, "media-server", "p", "info", "m", "r", 0, fields=fields)

    assert expired(Event(entry, "media.publish", "m", ()), offsets=(0, 20)) == Expiry(0)
