"""What was said before, for the LLM: the last turns of the sessions that spoke last. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

MOST_TURNS = 4
MOST_SESSIONS = 1_000

_SYSTEM = "You answer the phone of a restaurant. Say one or two short sentences."


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn: what the caller said and what was answered."""

    said: str
    answered: str


class Conversations:
    """The last exchanges of each session."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, deque[Exchange]] = OrderedDict()

    def add(self, session_id: str, exchange: Exchange) -> None:
        """Remember one turn; the session that was silent longest is forgotten where there are too many."""
        self._sessions.setdefault(session_id, deque(maxlen=MOST_TURNS)).append(exchange)
        self._sessions.move_to_end(session_id)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def to_messages(self, session_id: str, said: str) -> list[dict[str, str]]:
        """The messages of a chat completion that asks for the reply to `said`."""
        return [
            {"role": "system", "content": _SYSTEM},
            *self._read_history(session_id),
            {"role": "user", "content": said},
        ]

    def _read_history(self, session_id: str) -> Iterator[dict[str, str]]:
        for exchange in self._sessions.get(session_id, ()):
            yield {"role": "user", "content": exchange.said}
            yield {"role": "assistant", "content": exchange.answered}
