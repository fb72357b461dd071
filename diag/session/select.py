"""Which entries of a frame mention which IDs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property

import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue, Meaning
from diag.model.events import Event
from diag.model.identifiers import LOST_TEXTS, classify
from diag.model.records import SESSION_ROLES
from diag.model.session import Neighbours
from diag.session.census import ROW, find_crowded, mentions_of, surroundings_of, take_census
from diag.session.events import to_events
from diag.session.identity.kinship import Kinship
from diag.session.identity.rules import MOST_IDS
from diag.session.surroundings import Mentioned, Said, Surroundings

_EARLIEST_NS, _LATEST_NS = -(2**63), 2**63 - 1
"""What a frame's times can hold: a margin around a session at the end of time reaches beyond it."""


class EventFinder:
    """Answers "what mentions these IDs" on one frame, making events only of what is asked for.

    `crowded` is given where the frame is a part of a larger one, which tells it better.
    """

    def __init__(
        self, frame: pl.DataFrame, catalogue: Catalogue, crowded: frozenset[str] | None = None
    ) -> None:
        self._frame = frames.check_schema(frame)
        self._catalogue = catalogue
        self._at = _Made(frame, catalogue).at
        self._meanings: dict[tuple[str, str], Meaning | None] = {}
        self._mentions = mentions_of(frame)
        self._crowded = crowded

    @cached_property
    def crowded(self) -> frozenset[str]:
        """IDs that stand beside more sessions than any session has IDs: shared, and never passed."""
        if self._crowded is not None:
            return self._crowded
        census = take_census(self._frame, self._catalogue)
        return find_crowded(census.uses, census.ties, MOST_IDS)

    def load(self, ids: frozenset[str]) -> None:
        """Make the events that mention `ids` at once: cheaper than by and by, where all are asked for.

        Of what is around them a busy system has many times as much, and little of it is ever asked for.
        """
        self._at(sorted(self._rows_that_mention(ids)))

    def mentioning(self, ids: frozenset[str]) -> tuple[Event, ...]:
        """The events that mention one of `ids`, in the frame's order."""
        return self._at(sorted(self._rows_that_mention(ids)))

    def first_mentioning(self, text: str, most: int) -> tuple[tuple[Event, ...], int]:
        """The first events that mention `text`, at most so many, and how many there are altogether."""
        rows = self._rows_mentioning({text}).sort()
        return self._at(rows.head(most).to_list()), rows.len()

    def first_holding(self, text: str, most: int) -> tuple[tuple[Event, ...], int]:
        """The first events that hold `text`, as a value or in their words; and how many do."""
        held = self._frame.select(
            pl.col(frames.MESSAGE).str.contains(text, literal=True)
            | pl.col(frames.FIELDS).bin.contains(text.encode("utf-8", "replace"))
        ).to_series()
        rows = held.fill_null(value=False).arg_true()
        return self._at(rows.head(most).to_list()), rows.len()

    def count_mentioning(self, ids: frozenset[str]) -> int:
        """How many lines mention one of `ids`."""
        return self._rows_mentioning(ids).len()

    def span_of(self, ids: frozenset[str]) -> tuple[int, int] | None:
        """The first and the last time of the lines that mention one of `ids`; None where none has one."""
        times = self._frame[frames.TIME].gather(self._rows_mentioning(ids))
        times = times.filter(times != 0)
        first, last = times.min(), times.max()
        return (first, last) if isinstance(first, int) and isinstance(last, int) else None

    def kin_of(self, ids: frozenset[str]) -> tuple[tuple[str, str, str], ...]:
        """Other writings of `ids` among the session IDs of the frame, each pair with its rule.

        What stands in a text only is one, too: which ID a request was refused for is told nowhere else.
        """
        return self._kinship.of(sorted(ids))

    def around(self, start_ns: int, end_ns: int, ids: frozenset[str]) -> Neighbours:
        """What stands in a stretch of time and does not mention `ids`."""
        return self._surroundings.around(start_ns, end_ns, self._rows_that_mention(ids))

    def saying(
        self,
        is_sought: Callable[[Meaning], bool],
        stretches: Iterable[tuple[int, int]],
        most: int,
        *,
        unnamed: bool = False,
    ) -> tuple[tuple[Event, ...], int]:
        """The lines whose meaning is sought, in stretches of time that lie apart; and how many were too many.

        Where there are more than `most`, the earliest are given, none of the time at which it was cut.
        `unnamed`: only those that name no session.
        """
        lines = self._within(stretches).sort(frames.TIME, ROW)
        if unnamed:
            lines = lines.join(self._naming, on=ROW, how="anti", maintain_order="left")
        said = (lines[frames.MESSAGE], lines[frames.SERVICE])
        rows = [
            (row, time)
            for row, time, *one in zip(lines[ROW], lines[frames.TIME], *said, strict=True)
            if (meaning := self._meaning_of(*one)) is not None and is_sought(meaning)
        ]
        kept = rows if len(rows) <= most else [place for place in rows[:most] if place[1] < rows[most][1]]
        return self._at([row for row, _ in kept]), len(rows) - len(kept)

    def session_ids(self) -> tuple[tuple[str, int, str], ...]:
        """Every session ID of the frame with its first time and the service that spoke of it first."""
        first = (
            self._mentions.filter(pl.col(frames.ID_ROLE).is_in(SESSION_ROLES))
            .join(self._frame.with_row_index(ROW).cast({ROW: pl.Int64}), on=ROW, maintain_order="left")
            .group_by(frames.ID_TEXT, maintain_order=True)
            .agg(pl.col(frames.TIME).first(), pl.col(frames.SERVICE).first())
        )
        return tuple(
            (text, time or 0, service)
            for text, time, service in first.iter_rows()
            if classify(text).names_session
        )

    def _within(self, stretches: Iterable[tuple[int, int]]) -> pl.DataFrame:
        """Row, time, message and service of the lines in `stretches`, both ends included."""
        timed = self._timed
        bounds = [(max(start, _EARLIEST_NS), min(end, _LATEST_NS)) for start, end in stretches]
        begun = pl.Series([start for start, _ in bounds], dtype=pl.Int64).search_sorted(
            timed[frames.TIME], side="right"
        )
        ends = pl.Series([_EARLIEST_NS, *(end for _, end in bounds)], dtype=pl.Int64)
        return timed.filter(ends.gather(begun) >= timed[frames.TIME])

    @cached_property
    def _timed(self) -> pl.DataFrame:
        columns = (pl.col(frames.TIME).cast(pl.Int64), frames.MESSAGE, frames.SERVICE)
        rows = pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW)
        return self._frame.select(rows, *columns).drop_nulls(frames.TIME)

    @cached_property
    def _naming(self) -> pl.DataFrame:
        """The rows that name a session."""
        named = pl.col(frames.ID_ROLE).is_in(SESSION_ROLES) & ~pl.col(frames.ID_TEXT).is_in(list(LOST_TEXTS))
        return self._mentions.filter(named).select(ROW).unique()

    def _meaning_of(self, message: str, service: str) -> Meaning | None:
        if (message, service) not in self._meanings:
            known = self._catalogue.find(message, service)
            self._meanings[message, service] = known[0] if known else None
        return self._meanings[message, service]

    def _rows_mentioning(self, ids: Collection[str]) -> pl.Series:
        """Their rows, each once: for an ID or two, without an index of all."""
        return self._mentions.filter(pl.col(frames.ID_TEXT).is_in(list(ids)))[ROW].unique()

    def _rows_that_mention(self, ids: frozenset[str]) -> frozenset[int]:
        return frozenset(row for text in ids for row in self._rows_of.get(text, ()))

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        """ID -> the rows that mention it."""
        grouped = self._mentions.group_by(frames.ID_TEXT).agg(ROW)
        return dict(grouped.iter_rows())

    @cached_property
    def _kinship(self) -> Kinship:
        named = self._mentions.filter(pl.col(frames.ID_ROLE).is_in((*SESSION_ROLES, "text")))
        return Kinship(named[frames.ID_TEXT].unique().sort())

    @cached_property
    def _surroundings(self) -> Surroundings:
        lines = surroundings_of(self._frame, self._mentions, self._catalogue)
        said = lines.group_by(frames.MESSAGE, frames.SERVICE).agg(frames.TIME, ROW)
        mentioned = (
            self._mentions.join(lines.select(ROW, frames.TIME), on=ROW)
            .group_by(frames.ID_TEXT)
            .agg(frames.TIME, ROW)
        )
        return Surroundings(
            (Said(*row) for row in said.iter_rows()),
            (Mentioned(*row) for row in mentioned.iter_rows()),
            self._catalogue,
            self._at,
        )


class _Made:
    """The events of a frame's rows, each made when it is first asked for.

    The index of surroundings asks for them, too, so they are no part of the finder that holds it: two that
    hold each other stay in memory, with all events, until somebody looks for cycles.
    """

    def __init__(self, frame: pl.DataFrame, catalogue: Catalogue) -> None:
        self._frame = frame
        self._catalogue = catalogue
        self._events: dict[int, Event] = {}

    def at(self, rows: list[int]) -> tuple[Event, ...]:
        """Those of `rows`, in that order."""
        try:
            return tuple(map(self._events.__getitem__, rows))
        except KeyError:
            missing = [row for row in rows if row not in self._events]
        entries = frames.to_entries(self._frame[missing])
        self._events.update(zip(missing, to_events(entries, self._catalogue), strict=True))
        return tuple(map(self._events.__getitem__, rows))
