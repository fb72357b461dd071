"""One shard -> a line for each of its sessions, by the steps that a single session takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diag.app.judging import judge_session
from diag.app.many.intake import catalogue_of
from diag.app.many.matching import find_matches
from diag.app.many.plan import Shard
from diag.model.coverage import Coverage
from diag.model.diagnosis import Query
from diag.model.identifiers import Identifier
from diag.model.overview import SessionLine, to_line
from diag.model.topics import BrokerFacts, WantedTopic
from diag.normalise import join_frames
from diag.session.census import select_around
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder
from diag.sources import scratch

CUT = "some of the session's own lines lie outside of the window"


@dataclass(frozen=True, slots=True)
class JudgingJob:
    """What every shard needs beside itself.

    Attributes:
        sought: a text; each line tells how it finds the session. Empty: none is sought.
    """

    folder: Path
    catalogue_files: tuple[str, ...]
    crowded: frozenset[str]
    coverage: Coverage
    files: tuple[str, ...] = ()
    collected_ns: int | None = None
    broker: BrokerFacts | None = None
    wanted: tuple[WantedTopic, ...] = ()
    sought: str = ""


def judge_shard(job: JudgingJob, shard: Shard) -> tuple[SessionLine, ...]:
    """Every session of the shard once, under its chief ID."""
    reading = _read(job, shard)
    lines: dict[str, SessionLine] = {}
    told: set[str] = set()
    for asked in _list_sessions(shard, reading):
        session = None if asked.text in told else reconstruct(asked, reading)
        if session is None:
            continue
        told |= session.members
        coverage = (
            job.coverage.doubt_logs(CUT, only_complete=True) if session.members & shard.cut else job.coverage
        )
        query = Query(asked, reading.window, job.files, job.collected_ns)
        lines[session.id] = to_line(
            judge_session(query, session, reading, coverage), find_matches(session, job.sought)
        )
    return tuple(lines.values())


def _read(job: JudgingJob, shard: Shard) -> Reading:
    catalogue, ids = catalogue_of(job.catalogue_files), shard.ids
    parts = (scratch.read_frame(job.folder, number) for number in shard.frames)
    near = [select_around(part, ids, shard.start_ns, shard.end_ns, catalogue) for part in parts]
    finder = EventFinder(join_frames(near), catalogue, job.crowded)
    finder.load(ids)
    return Reading(
        finder=finder,
        catalogue=catalogue,
        window=job.coverage.window,
        settled_ns=job.coverage.settled_ns,
        broker=job.broker,
        wanted=job.wanted,
    )


def _list_sessions(shard: Shard, reading: Reading) -> Iterator[Identifier]:
    for group in shard.groups:
        for text in group.sessions:
            found = reading.catalogue.classify(text)
            if found.names_session:
                yield found
