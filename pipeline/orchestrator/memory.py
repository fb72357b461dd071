"""What an orchestrator remembers over a restart, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BoundSession:
    """A session and the connection that it was bound to when the process ended."""

    session_id: str
    connection_id: str
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """One turn of a conversation."""

    turn_id: str
    session_id: str
    said: str
    answered: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent to a session's socket."""

    message_id: str
    session_id: str
    text: str


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """How often a turn was begun, and whether it ended."""

    turn_id: str
    session_id: str
    attempts: int
    done: bool


class Keeper(Protocol):
    """Keeps what is remembered, and never fails."""

    def keep_session(self, session: BoundSession) -> None:
        """To which connection a session is bound."""
        ...

    def keep_exchange(self, exchange: StoredExchange) -> None:
        """What was said and answered in a turn."""
        ...

    def keep_sent(self, message: SentMessage) -> None:
        """That a message was sent."""
        ...

    def keep_turn(self, turn: StoredTurn) -> None:
        """How far a turn is."""
        ...

    def forget(self, session_id: str) -> None:
        """The session is over. Its turns stay: their records may come once more."""
        ...


class NoKeeper:
    """Keeps nothing."""

    def keep_session(self, session: BoundSession) -> None:
        """As `Keeper.keep_session`."""

    def keep_exchange(self, exchange: StoredExchange) -> None:
        """As `Keeper.keep_exchange`."""

    def keep_sent(self, message: SentMessage) -> None:
        """As `Keeper.keep_sent`."""

    def keep_turn(self, turn: StoredTurn) -> None:
        """As `Keeper.keep_turn`."""

    def forget(self, session_id: str) -> None:
        """As `Keeper.forget`."""


@dataclass(frozen=True, slots=True)
class Memory:
    """All that was remembered, each kind in the order of its writing."""

    sessions: tuple[BoundSession, ...] = ()
    exchanges: tuple[StoredExchange, ...] = ()
    sent: tuple[SentMessage, ...] = ()
    turns: tuple[StoredTurn, ...] = ()
