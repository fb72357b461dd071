"""What was said before, for the LLM: the last turns of the sessions that spoke last. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

from pipeline.orchestrator.memory import StoredExchange

MOST_TURNS = 4
MOST_SESSIONS = 1_000

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
        self._remember(exchange)
        self._keep(exchange)

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
