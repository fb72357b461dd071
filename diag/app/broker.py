"""What the broker adds to a session: topics, groups and the session's records, or why it could not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diag.app.request import SessionRequest
from diag.errors import SourceError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.identifiers import LOST_TEXTS
from diag.model.records import KafkaRecord
from diag.model.topics import BrokerFacts
from diag.model.window import Window

if TYPE_CHECKING:
    from diag.sources.kafka import RecordsRead

SLUG = "kafka"


@dataclass(frozen=True, slots=True)
class BrokerReading:
    """What came, each part None where it did not."""

    coverage: SourceCoverage
    facts: BrokerFacts | None = None
    records: tuple[KafkaRecord, ...] | None = None


async def read_broker(
    request: SessionRequest, window: Window | None, ids: frozenset[str], catalogue: Catalogue
) -> BrokerReading:
    """Topics, groups and the records of `ids` in `window`. A failure is an answer, too."""
    settings = request.settings.kafka
    if not settings.bootstrap or not request.ask_kafka:
        return BrokerReading(SourceCoverage(SLUG, State.NOT_ASKED, notes=("no broker was named (--kafka)",)))
    from diag.sources import kafka

    facts: BrokerFacts | None = None
    asked = f"{settings.bootstrap}, {window.to_text() if window else 'topics only'}"
    request.progress("reading Kafka")
    try:
        facts = await kafka.read_broker(settings, request.now_ns)
        if window is None:
            return BrokerReading(_cover(asked, facts, None), facts)
        id_keys = frozenset(catalogue.keys_of("session", "media", "frontend"))
        read = await kafka.read_records(settings, window, ids | LOST_TEXTS, id_keys)
        return BrokerReading(_cover(asked, facts, read), facts, read.records)
    except SourceError as error:
        state = State.FAILED if facts is None else State.PARTIAL
        got = f"{len(facts.topics)} topics, no records" if facts else ""
        return BrokerReading(
            SourceCoverage(SLUG, state, asked, got, notes=(f"{error}; {error.hint}",)), facts
        )


def _cover(asked: str, facts: BrokerFacts, read: RecordsRead | None) -> SourceCoverage:
    topics = sum(not topic.internal for topic in facts.topics.values())
    got = f"{topics} topics, {len(facts.groups)} groups"
    if read is None:
        return SourceCoverage(SLUG, State.COMPLETE, asked, got, objects=topics)
    notes = (
        () if read.complete else (f"only {read.looked_at} records were looked at; raise kafka.max_records",)
    )
    return SourceCoverage(
        source=SLUG,
        state=State.COMPLETE if read.complete else State.PARTIAL,
        asked=asked,
        got=f"{got}, {len(read.records)} records of {read.looked_at} looked at",
        objects=topics + len(read.records),
        notes=notes,
    )
