"""Raw records -> a redacted frame on disk, and what the rest of the work must know of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import polars as pl

from diag.app.bounds import divide
from diag.app.coverage import LEAST_LAG_NS, Heard, Unparsed, find_lag, find_unparsed, hear
from diag.app.request import Bounds
from diag.app.where import keep_matching
from diag.catalogue import load_catalogue
from diag.errors import DataError
from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.filters import Filter
from diag.model.records import LogRecord
from diag.normalise import join_frames, to_frame
from diag.session.census import Census, take_census
from diag.sources import scratch
from diag.sources.files import Part, PartReading, explain_error

_ORDERS_APART = 1 << 32
"""Places in what was read that one frame may take; frames come in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class IntakeJob:
    """What is to be read.

    Attributes:
        number: of the frame on disk.
        bounds: what lies outside is left out.
        where: so is what does not meet this.
    """

    folder: Path
    number: int
    catalogue_files: tuple[str, ...]
    bounds: Bounds = (None, None)
    where: Filter | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What one frame on disk holds.

    Attributes:
        span: the first and the last time; None where no line has one.
        outside: the IDs of entries that lie outside of the bounds.
        cut: it ends in the middle of an object.
        empty: it is of a file in which nothing stands.
        problem: why it could not be read; empty if it could.
        problems: what of it could not be read.
        notes: what is worth to be known of it, and is no loss.
        lag_ns: the greatest time that an entry took to be readable.
    """

    number: int
    entries: int = 0
    left_out: int = 0
    span: tuple[int, int] | None = None
    census: Census = field(default_factory=Census)
    outside: frozenset[str] = frozenset()
    heard: tuple[Heard, ...] = ()
    cut: bool = False
    empty: bool = False
    problem: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unparsed: Unparsed = field(default_factory=Unparsed)
    lag_ns: int = LEAST_LAG_NS


@cache
def catalogue_of(files: tuple[str, ...]) -> Catalogue:
    """The catalogue, loaded once in each process."""
    return load_catalogue(files)


def take_in_part(job: IntakeJob, part: Part) -> Digest:
    """Read one part of a file; what is wrong with it is told, not raised."""
    reading = PartReading(part)
    try:
        digest = take_in(job, reading)
    except (OSError, DataError) as error:
        return Digest(job.number, problem=explain_error(part.shown, error))
    return replace(
        digest, cut=reading.cut, empty=reading.empty, problems=reading.problems, notes=reading.notes
    )


def take_in(job: IntakeJob, records: Iterable[LogRecord]) -> Digest:
    """Put the entries aside as a frame, but for those outside of the bounds."""
    records = keep_matching(records, job.where)
    return take_in_frame(job, to_frame(records, catalogue_of(job.catalogue_files)))


def take_in_frame(job: IntakeJob, entries: pl.DataFrame) -> Digest:
    """The same for entries that are understood already, in the order in which they were read."""
    catalogue = catalogue_of(job.catalogue_files)
    whole = join_frames([entries.with_columns(pl.col(frames.ORDER) + job.number * _ORDERS_APART)])
    frame, left_out = divide(whole, job.bounds)
    scratch.write_frame(job.folder, job.number, frame)
    first, last = frame[frames.TIME].min(), frame[frames.TIME].max()
    return Digest(
        number=job.number,
        entries=frame.height,
        left_out=left_out.height,
        span=(first, last) if isinstance(first, int) and isinstance(last, int) else None,
        census=take_census(frame, catalogue),
        outside=frozenset(take_census(left_out, catalogue).uses),
        heard=hear(frame),
        unparsed=find_unparsed(frame),
        lag_ns=find_lag(frame),
    )
