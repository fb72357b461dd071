"""What was said before, for the LLM: the last turns of the sessions that spoke last. Pure.

Each turn may be led by another replica than the one before it. So the replica that has led one tells the
others the whole conversation as it stands then, and they know it when it is their turn.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from pipeline.orchestrator.memory import StoredExchange

MOST_TURNS = 4
MOST_SESSIONS = 1_000
# of what was said in a turn, and of what was answered
MOST_CHARS = 2_000
_MOST_ID_CHARS = 64

_SYSTEM = "You answer the phone of a restaurant. Say one or two short sentences."


class Conversations:
    """The last exchanges of each session."""

    def __init__(
        self, keep: Callable[[StoredExchange], None] = lambda _: None, before: Iterable[StoredExchange] = ()
    ) -> None:
        self._keep = keep
        self._sessions: OrderedDict[str, OrderedDict[str, StoredExchange]] = OrderedDict()
        for exchange in before:
            self._remember(exchange)

    def add(self, exchange: StoredExchange) -> None:
        """Remember one turn, and keep it; a turn that is led once more takes its own place.

        The session that was silent longest is forgotten where there are too many.
        """
        exchange = _shorten(exchange)
        self._remember(exchange)
        self._keep(exchange)

    def tell(self, session_id: str) -> str:
        """The conversation of a session, for `hear`."""
        turns = self._sessions.get(session_id, OrderedDict()).values()
        return json.dumps([(turn.turn_id, turn.said, turn.answered) for turn in turns])

    def hear(self, session_id: str, told: str) -> None:
        """A conversation as it stood after a turn; one whose last turn is known here is no newer.

        Raises:
            ValueError: `told` is none.
        """
        try:
            turns = [
                StoredExchange(turn_id, session_id, said, answered)
                for turn_id, said, answered in json.loads(told)
            ]
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError("no conversation") from error
        if not all(
            isinstance(text, str) for turn in turns for text in (turn.turn_id, turn.said, turn.answered)
        ):
            raise ValueError("a conversation of something else than texts")
        if any(len(turn.turn_id) > _MOST_ID_CHARS for turn in turns):
            raise ValueError("a conversation of no turns")
        if not turns or turns[-1].turn_id in self._sessions.get(session_id, ()):
            return
        self.forget(session_id)
        for turn in turns[-MOST_TURNS:]:
            self._remember(_shorten(turn))

    def forget(self, session_id: str) -> None:
        """The session is over."""
        self._sessions.pop(session_id, None)

    def to_messages(self, session_id: str, turn_id: str, said: str) -> list[dict[str, str]]:
        """The messages of a chat completion that asks for the reply to `said` in this turn."""
        return [
            {"role": "system", "content": _SYSTEM},
            *self._read_history(session_id, turn_id),
            {"role": "user", "content": said},
        ]

    def _remember(self, exchange: StoredExchange) -> None:
        turns = self._sessions.setdefault(exchange.session_id, OrderedDict())
        turns[exchange.turn_id] = exchange
        if len(turns) > MOST_TURNS:
            turns.popitem(last=False)
        self._sessions.move_to_end(exchange.session_id)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    def _read_history(self, session_id: str, turn_id: str) -> Iterator[dict[str, str]]:
        for exchange in self._sessions.get(session_id, OrderedDict()).values():
            if exchange.turn_id == turn_id:
                continue  # it was cut off after its answer, and is led once more
            yield {"role": "user", "content": exchange.said}
            yield {"role": "assistant", "content": exchange.answered}


def _shorten(exchange: StoredExchange) -> StoredExchange:
    return replace(exchange, said=exchange.said[:MOST_CHARS], answered=exchange.answered[:MOST_CHARS])
