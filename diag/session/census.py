"""What a frame says of its IDs: how much of it each is, and which stand side by side.

It fits into few bytes whatever the frame holds, so that frames which are not in memory together can
still be cut into groups of sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from diag.model import frames
from diag.model.catalogue import Catalogue
from diag.model.identifiers import LOST_TEXTS, is_lost
from diag.model.records import SESSION_ROLES
from diag.session.identity.rules import LINKING_ROLES, MOST_TIED, NO_LINK_EVENTS, TEXT_EVENTS
from diag.session.surroundings import ANCHOR_EVENTS

ROW = "row"
_NOT_MENTIONS = ("other", "null")

Tie = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdUse:
    """How much of a window one ID is.

    Attributes:
        lines: that mention it.
        first_ns: its first time; None where none of its lines has one.
        last_ns: its last time.
        names_session: it stands under a session's key.
    """

    lines: int
    first_ns: int | None
    last_ns: int | None
    names_session: bool

    def joined(self, other: IdUse) -> IdUse:
        """Both together."""
        firsts = [ns for ns in (self.first_ns, other.first_ns) if ns is not None]
        lasts = [ns for ns in (self.last_ns, other.last_ns) if ns is not None]
        return IdUse(
            self.lines + other.lines,
            min(firsts, default=None),
            max(lasts, default=None),
            self.names_session or other.names_session,
        )


@dataclass(slots=True)
class Census:
    """The IDs of one frame, or of several together.

    Attributes:
        uses: ID -> how much of it; lost IDs are none.
        ties: IDs that one line names together, each pair or more once.
    """

    uses: dict[str, IdUse] = field(default_factory=dict)
    ties: set[Tie] = field(default_factory=set)

    def add(self, other: Census) -> None:
        """Take in another frame's."""
        for text, use in other.uses.items():
            known = self.uses.get(text)
            self.uses[text] = use if known is None else known.joined(use)
        self.ties |= other.ties


def take_census(frame: pl.DataFrame, catalogue: Catalogue) -> Census:
    """The IDs of `frame`, and what stands side by side in its lines."""
    if frame.is_empty():
        return Census()
    mentions = mentions_of(frame, frames.TIME, frames.MESSAGE)
    uses = mentions.group_by(frames.ID_TEXT).agg(
        pl.col(ROW).n_unique(),
        pl.col(frames.TIME).min().alias("first"),
        pl.col(frames.TIME).max().alias("last"),
        pl.col(frames.ID_ROLE).is_in(SESSION_ROLES).any().alias("named"),
    )
    return Census(
        {text: IdUse(*use) for text, *use in uses.iter_rows() if not is_lost(text)},
        {tuple(tie) for (tie,) in _ties(mentions, catalogue).iter_rows()},
    )


def _ties(mentions: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """One column of lists: the IDs of each line that names several, by the rules that link them."""
    message, role, text = pl.col(frames.MESSAGE), pl.col(frames.ID_ROLE), pl.col(frames.ID_TEXT)
    in_texts, nowhere = catalogue.messages_of(*TEXT_EVENTS), catalogue.messages_of(*NO_LINK_EVENTS)
    linking = mentions.filter(
        role.is_in(LINKING_ROLES) | (message.is_in(in_texts) & (role == "text")),
        ~message.is_in(nowhere) & ~text.is_in(list(LOST_TEXTS)),
    )
    several = linking.group_by(ROW).agg(text.unique().sort(), pl.len().alias("mentions"))
    several = several.filter((pl.col(frames.ID_TEXT).list.len() > 1) & (pl.col("mentions") <= MOST_TIED))
    return several.select(frames.ID_TEXT).unique()


def mentions_of(frame: pl.DataFrame, *beside: str) -> pl.DataFrame:
    """A row for each ID of each line: ``row``, `beside` as the line has it, role, key, text.

    Other sessions' IDs by design are none.
    """
    return (
        _numbered(frame)
        .select(ROW, *beside, frames.IDS)
        .filter(pl.col(frames.IDS).list.len() > 0)
        .explode(frames.IDS)
        .unnest(frames.IDS)
        .filter(~pl.col(frames.ID_ROLE).is_in(_NOT_MENTIONS))
    )


def surroundings_of(frame: pl.DataFrame, mentions: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """The lines that say what places a neighbour, or that name no session (or a lost one)."""
    naming = mentions.filter(
        pl.col(frames.ID_ROLE).is_in(SESSION_ROLES) & ~pl.col(frames.ID_TEXT).is_in(list(LOST_TEXTS))
    )[ROW].unique()
    anchors = catalogue.messages_of(*ANCHOR_EVENTS)
    return (
        _numbered(frame)
        .filter(pl.col(frames.TIME).is_not_null())
        .filter(pl.col(frames.MESSAGE).is_in(anchors) | ~pl.col(ROW).is_in(naming.implode()))
    )


def select_around(
    frame: pl.DataFrame, ids: Iterable[str], start_ns: int, end_ns: int, catalogue: Catalogue
) -> pl.DataFrame:
    """The lines of `ids`, and the surroundings of a stretch of time."""
    mentions = mentions_of(frame)
    own = mentions.filter(pl.col(frames.ID_TEXT).is_in(list(ids)))[ROW]
    near = surroundings_of(frame, mentions, catalogue).filter(
        pl.col(frames.TIME).is_between(start_ns, end_ns)
    )[ROW]
    return frame[pl.concat([own, near]).unique().sort()]


def find_crowded(uses: Mapping[str, IdUse], ties: Iterable[Tie], most: int) -> frozenset[str]:
    """IDs that stand beside more than `most` sessions: shared, whatever else is true of them."""
    beside: dict[str, set[str]] = {}
    for tie in ties:
        sessions = [text for text in tie if text in uses and uses[text].names_session]
        for text in tie:
            beside.setdefault(text, set()).update(sessions)
    return frozenset(text for text, others in beside.items() if len(others - {text}) > most)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(ROW))
