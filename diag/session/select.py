"""Which entries of a frame mention which IDs."""

from __future__ import annotations

import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.identifiers import LOST_TEXTS, classify
from diag.model.records import SESSION_ROLES
from diag.model.session import Event
from diag.session.events import to_events
from diag.session.kinship import Kinship

_ROW = "row"
_NOT_MENTIONS = ("other", "null")


class EventFinder:
    """Answers "what mentions these IDs" on one frame, making events only of what is asked for."""

    def __init__(self, frame: pl.DataFrame, catalogue: Catalogue) -> None:
        self._frame = frames.check_schema(frame)
        self._catalogue = catalogue
        self._events: dict[int, Event] = {}
        self._kinship: Kinship | None = None
        self._mentions = (
            frame.select(pl.int_range(pl.len()).alias(_ROW), pl.col(frames.IDS))
            .filter(pl.col(frames.IDS).list.len() > 0)
            .explode(frames.IDS)
            .unnest(frames.IDS)
            .filter(~pl.col(frames.ID_ROLE).is_in(_NOT_MENTIONS))
        )

    def mentioning(self, ids: frozenset[str]) -> tuple[Event, ...]:
        """The events that mention one of `ids`, in the frame's order."""
        rows = self._mentions.filter(pl.col(frames.ID_TEXT).is_in(list(ids)))[_ROW]
        return self._at(rows.unique().sort().to_list())

    def kin_of(self, ids: frozenset[str]) -> tuple[tuple[str, str, str], ...]:
        """Other writings of `ids` among the session IDs of the frame, each pair with its rule."""
        if self._kinship is None:
            named = self._mentions.filter(pl.col(frames.ID_ROLE).is_in(SESSION_ROLES))
            self._kinship = Kinship(named[frames.ID_TEXT].unique().sort())
        return self._kinship.of(sorted(ids))

    def between(self, start_ns: int, end_ns: int, messages: tuple[str, ...]) -> tuple[Event, ...]:
        """The events of a stretch of time that say one of `messages` or name no session (or a lost one)."""
        naming = self._mentions.filter(
            pl.col(frames.ID_ROLE).is_in(SESSION_ROLES) & ~pl.col(frames.ID_TEXT).is_in(list(LOST_TEXTS))
        )[_ROW].unique()
        rows = (
            self._frame.with_row_index(_ROW)
            .filter(pl.col(frames.TIME).is_between(start_ns, end_ns))
            .filter(pl.col(frames.MESSAGE).is_in(messages) | ~pl.col(_ROW).is_in(naming.implode()))
        )
        return self._at(rows[_ROW].to_list())

    def session_ids(self) -> tuple[tuple[str, int, str], ...]:
        """Every session ID of the frame with its first time and the service that spoke of it first."""
        first = (
            self._mentions.filter(pl.col(frames.ID_ROLE).is_in(SESSION_ROLES))
            .join(self._frame.with_row_index(_ROW).cast({_ROW: pl.Int64}), on=_ROW, maintain_order="left")
            .group_by(frames.ID_TEXT, maintain_order=True)
            .agg(pl.col(frames.TIME).first(), pl.col(frames.SERVICE).first())
        )
        return tuple(
            (text, time or 0, service)
            for text, time, service in first.iter_rows()
            if classify(text).names_session
        )

    def _at(self, rows: list[int]) -> tuple[Event, ...]:
        missing = [row for row in rows if row not in self._events]
        if missing:
            entries = frames.to_entries(self._frame[missing])
            self._events.update(zip(missing, to_events(entries, self._catalogue), strict=True))
        return tuple(self._events[row] for row in rows)
