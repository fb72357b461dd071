"""The messages that were sent last to each session, for a caller who comes back. Pure.

A message's ID follows from its turn and its type, so a turn that is led again makes the same
messages: what was sent is not sent twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

from pipeline.orchestrator.memory import SentMessage

MOST_MESSAGES = 16


def message_id_of(turn_id: str, message_type: str) -> str:
    """The ID of a turn's message."""
    return f"{turn_id}/{message_type}"


class SentMessages:
    """The last `MOST_MESSAGES` of each session; `keep` is told of each."""

    def __init__(self, keep: Callable[[SentMessage], None], before: Iterable[SentMessage] = ()) -> None:
        self._keep = keep
        self._sessions: dict[str, OrderedDict[str, SentMessage]] = {}
        for message in before:
            self._remember(message)

    def note(self, message: SentMessage) -> None:
        """`message` was sent."""
        self._remember(message)
        self._keep(message)

    def has(self, session_id: str, message_id: str) -> bool:
        """Whether the message was sent before."""
        return message_id in self._sessions.get(session_id, ())

    def after(self, session_id: str, last_message_id: str) -> tuple[SentMessage, ...] | None:
        """What was sent after the last message that the caller has; None where that one is not known.

        The empty ID is the caller's who has none yet.
        """
        sent = self._sessions.get(session_id, OrderedDict())
        if last_message_id and last_message_id not in sent:
            return None
        ids = list(sent)
        first = ids.index(last_message_id) + 1 if last_message_id else 0
        return tuple(sent[message_id] for message_id in ids[first:])

    def forget(self, session_id: str) -> None:
        """The session is over."""
        self._sessions.pop(session_id, None)

    def _remember(self, message: SentMessage) -> None:
        sent = self._sessions.setdefault(message.session_id, OrderedDict())
        sent[message.message_id] = message
        if len(sent) > MOST_MESSAGES:
            sent.popitem(last=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)
