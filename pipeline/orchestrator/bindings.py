"""Which WebSocket belongs to which session. Pure; both directions are kept, so neither is guessed."""

from __future__ import annotations


class SocketBindings:
    """A session has at most one connection, and a connection at most one session: the last one wins."""

    def __init__(self) -> None:
        self._connections: dict[str, str] = {}
        self._sessions: dict[str, str] = {}

    def bind(self, connection_id: str, session_id: str) -> str | None:
        """Bind the two, and nothing else any more to either; the connection that was displaced."""
        displaced = self._connections.get(session_id)
        if displaced == connection_id:
            return None
        if displaced is not None:
            self.release(displaced)
        self.release(connection_id)
        self._connections[session_id] = connection_id
        self._sessions[connection_id] = session_id
        return displaced

    def release(self, connection_id: str) -> None:
        """Unbind a connection; one that is not bound is no error."""
        session_id = self._sessions.pop(connection_id, None)
        if session_id is not None:
            del self._connections[session_id]

    def find_connection(self, session_id: str) -> str | None:
        """The connection that is bound to exactly this session."""
        return self._connections.get(session_id)

    def __len__(self) -> int:
        return len(self._sessions)
