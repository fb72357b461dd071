"""diag asked about every session of a world, by the same pure steps as in service.

The corpus is normalised once. Each question is asked of the entries of its neighbourhood in time, as a live
run would read them: one frame for the sessions that begin in the same stretch, with a margin on both sides.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import polars as pl

from diag.app.attribution import attribute_lines
from diag.app.coverage import describe_coverage, hear
from diag.app.judging import judge_session
from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis, Query
from diag.model.identifiers import classify
from diag.model.records import KafkaRecord, LogRecord
from diag.model.window import Window
from diag.normalise import join_frames, to_frame
from diag.session.identity.links import close_over
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder
from tests.accuracy.entries import to_entries
from tests.accuracy.judges.base import Hearing
from tests.accuracy.provable import Proof
from tests.accuracy.truth import LOST_TEXTS, NS_PER_S, Session, World

STRETCH_NS = 30 * NS_PER_S
MARGIN_NS = 120 * NS_PER_S


def hear_all(world: World) -> Iterator[Hearing]:
    """Every group of every session's IDs, asked for by one of them that the seed chose."""
    catalogue = load_catalogue()
    records = (LogRecord(entry, f"corpus.json:{n}") for n, entry in enumerate(to_entries(world), 1))
    frame = join_frames([to_frame(records, catalogue)])
    shared = frozenset(text for text, owners in world.owners().items() if len(owners) > 1)
    rng = random.Random(f"accuracy/{world.seed}/asked")
    in_order = sorted(world.sessions, key=lambda session: session.begin_ns)
    for _, together in groupby(in_order, key=lambda session: session.begin_ns // STRETCH_NS):
        sessions = tuple(together)
        room = _Neighbourhood(frame, catalogue, world, sessions)
        for session in sessions:
            proof = Proof(session, shared)
            for group in proof.components():
                asked = rng.choice(group)
                yield Hearing(session, asked, group, proof, room.ask(asked))


class _Neighbourhood:
    """The entries and records around some sessions."""

    def __init__(
        self, frame: pl.DataFrame, catalogue: Catalogue, world: World, sessions: Sequence[Session]
    ) -> None:
        start = min(session.begin_ns for session in sessions) - MARGIN_NS
        end = max(session.end_ns for session in sessions) + MARGIN_NS
        self._frame = frame.filter(pl.col("time").is_between(start, end))
        self._catalogue = catalogue
        self._window = Window(start, end)
        self._finder = EventFinder(self._frame, catalogue)
        self._wanted = load_wanted_topics()
        records = [record for record in world.records if start <= record.time_ns <= end]
        self._records = tuple(
            KafkaRecord(r.topic, r.partition, r.offset, r.time_ns, r.key, r.headers, r.id_fields, r.size)
            for r in records
        )
        self._by_name: defaultdict[str, list[KafkaRecord]] = defaultdict(list)
        for record in self._records:
            for name in _names(record):
                self._by_name[name].append(record)
        source = SourceCoverage("files", State.COMPLETE, "corpus", entries=self._frame.height)
        self._coverage = describe_coverage(hear(self._frame), (source,), self._window, None)

    def ask(self, asked: str) -> Diagnosis | None:
        """What diag makes of this ID; None if it finds nothing."""
        members = close_over(asked, self._finder).members
        reading = Reading(
            self._finder, self._catalogue, self._window, None, self._records_of(members), None, self._wanted
        )
        session = reconstruct(classify(asked), reading)
        if session is None:
            return None
        query = Query(classify(asked), self._window, files=("corpus.json",))
        diagnosis = judge_session(query, session, reading, self._coverage)
        return attribute_lines(diagnosis, self._finder)

    def _records_of(self, ids: Iterable[str]) -> tuple[KafkaRecord, ...]:
        """As the Kafka source selects: those that name one of the IDs, or a lost one."""
        found = {one.ref: one for text in (*ids, "", *LOST_TEXTS) for one in self._by_name[text]}
        return tuple(found[ref] for ref in sorted(found))


def _names(record: KafkaRecord) -> tuple[str, ...]:
    named = [record.key or "", *(v for k, v in record.headers if k == "session-id")]
    return (*named, *(value for _, value in record.id_fields))
