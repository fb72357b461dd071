"""What an orchestrator remembers over a restart: one SQLite file in its own folder.

It holds the sessions and the connection each was bound to, what was said last, the messages that
were sent last, and which turns were begun and ended. In the memory of the process stands the same;
the file is written through in small steps and read once, at the start.

The service never depends on it. A file that is locked, full or broken costs one line in the log and
the memory over the next restart; a file that is no database, or of another version, is set aside and
begun anew. WAL with ``synchronous=NORMAL`` loses nothing when the process is killed (SQLite, "Write-Ahead
Logging": only a power cut may cost the last commits) and makes a write cheap enough for the event loop.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.orchestrator.conversations import MOST_TURNS
from pipeline.orchestrator.memory import BoundSession, Memory, SentMessage, StoredExchange, StoredTurn
from pipeline.orchestrator.sent import MOST_MESSAGES
from pipeline.wire.log_lines import Log

VERSION = 1
FILE_NAME = "orchestrator.db"
# So long something is kept of a session from which nothing more was heard
KEEP_S = 3600.0

# Of a session that lives so much is kept however old it is: nobody asks for more
_LAST = max(MOST_MESSAGES, MOST_TURNS)
_OF_SESSIONS = ("sessions", "exchanges", "sent")

# Shorter than a frame of audio: whoever holds the file for longer is not waited for
_BUSY_S = 0.02
# After a failure the file is left alone for so long
_PAUSE_S = 5.0

_SCHEMA = """
CREATE TABLE sessions (session_id TEXT PRIMARY KEY, connection_id TEXT, traceparent TEXT, at REAL);
CREATE TABLE exchanges (turn_id TEXT PRIMARY KEY, session_id TEXT, said TEXT, answered TEXT, at REAL);
CREATE TABLE sent (message_id TEXT PRIMARY KEY, session_id TEXT, text TEXT, at REAL);
CREATE TABLE turns (turn_id TEXT PRIMARY KEY, session_id TEXT, attempts INTEGER, done INTEGER, at REAL);
"""
# Beside the keys: the file is asked by session at each end of one, and by time again and again
_INDEXES = "".join(
    f"CREATE INDEX IF NOT EXISTS {table}_by_{column} ON {table} ({column});\n"
    for column, tables in (("session_id", ("exchanges", "sent")), ("at", (*_OF_SESSIONS, "turns")))
    for table in tables
)


class StateStore:
    """The file in `folder`; no method raises."""

    def __init__(self, folder: Path, log: Log) -> None:
        self._path = folder / FILE_NAME
        self._log = log
        self._quiet_until = 0.0
        self._database = self._open()

    def load(self) -> Memory:
        """What the process before this one has left; nothing if there is none, or no file to be had."""
        self.prune()
        if self._database is None:
            return Memory()
        try:
            return _read(self._database)
        except sqlite3.Error as error:
            self._give_up(error)
            return Memory()

    def keep_session(self, session: BoundSession) -> None:
        """Remember to which connection a session is bound."""
        row = (session.session_id, session.connection_id, session.traceparent, time.time())
        self._run("REPLACE INTO sessions VALUES (?, ?, ?, ?)", *row)

    def keep_exchange(self, exchange: StoredExchange) -> None:
        """Remember what was said and answered in a turn."""
        row = (exchange.turn_id, exchange.session_id, exchange.said, exchange.answered, time.time())
        self._run("REPLACE INTO exchanges VALUES (?, ?, ?, ?, ?)", *row)

    def keep_sent(self, message: SentMessage) -> None:
        """Remember that a message was sent."""
        row = (message.message_id, message.session_id, message.text, time.time())
        self._run("REPLACE INTO sent VALUES (?, ?, ?, ?)", *row)

    def keep_turn(self, turn: StoredTurn) -> None:
        """Remember how far a turn is."""
        row = (turn.turn_id, turn.session_id, turn.attempts, turn.done, time.time())
        self._run("REPLACE INTO turns VALUES (?, ?, ?, ?, ?)", *row)

    def forget(self, session_id: str) -> None:
        """The session is over. Its turns stay: their records may come once more."""
        for table in _OF_SESSIONS:
            self._run(f"DELETE FROM {table} WHERE session_id = ?", session_id)  # noqa: S608 - names of our own

    def prune(self, is_alive: Callable[[str], bool] = lambda _: False) -> None:
        """Forget what is older than `KEEP_S`; to be called now and then, far more often than that.

        What belongs to a session that `is_alive` counts as new, however long nobody has spoken in it. That
        is noted after half of the time, so that a process that starts then knows it, too.
        """
        now = time.time()
        for session_id in self._find_old(now - KEEP_S / 2):
            if is_alive(session_id):
                self._renew(session_id, now)
        for table in (*_OF_SESSIONS, "turns"):
            self._run(f"DELETE FROM {table} WHERE at < ?", now - KEEP_S)  # noqa: S608 - names of our own

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _open_checked(self._path)
            except _UnusableError as error:
                aside = self._path.with_name(f"{FILE_NAME}.unusable-{time.time_ns()}")
                self._path.replace(aside)
                self._log.write("state-begun-anew", reason=str(error), set_aside=aside.name)
                return _open_checked(self._path)
        except (sqlite3.Error, OSError, _UnusableError) as error:
            self._log.write("state-not-kept", error=_describe(error))
            return None

    def _find_old(self, since: float) -> list[str]:
        """The sessions of which something is older."""
        old = " UNION ".join(f"SELECT session_id FROM {table} WHERE at < ?1" for table in _OF_SESSIONS)  # noqa: S608
        return [session_id for (session_id,) in self._run(old, since)]

    def _renew(self, session_id: str, now: float) -> None:
        for table in _OF_SESSIONS:
            last = f"SELECT rowid FROM {table} WHERE session_id = ? ORDER BY rowid DESC LIMIT {_LAST}"  # noqa: S608
            self._run(f"UPDATE {table} SET at = ? WHERE rowid IN ({last})", now, session_id)  # noqa: S608 - as above

    def _run(self, statement: str, *values: str | float | None) -> list[Any]:
        """The rows of `statement`; none where the file cannot be used."""
        if self._database is None or time.monotonic() < self._quiet_until:
            return []
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._quiet_until = time.monotonic() + _PAUSE_S
            self._log.write("state-not-kept", error=_describe(error))
            return []

    def _give_up(self, error: sqlite3.Error) -> None:
        self._log.write("state-not-kept", error=_describe(error))
        self.close()


class _UnusableError(Exception):
    """The file is not what this version can read and write."""


def _open_checked(path: Path) -> sqlite3.Connection:
    """The database in `path`, made if it is not there; raises `_UnusableError`."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # what was said is nobody else's
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        _prepare(database)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.OperationalError:  # locked, full, not readable: that passes
        database.close()
        raise
    except (sqlite3.DatabaseError, _UnusableError) as error:
        database.close()
        raise _UnusableError(str(error)) from error
    return database


def _prepare(database: sqlite3.Connection) -> None:
    """Make the tables of an empty file; raises `_UnusableError` for one that is not ours."""
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise _UnusableError("it belongs to another program")
        database.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
    elif version != VERSION:
        raise _UnusableError(f"it is of version {version}, this service writes version {VERSION}")
    elif database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _UnusableError("its pages are damaged")
    database.executescript(_INDEXES)  # a file of before them gets them, too


def _read(database: sqlite3.Connection) -> Memory:
    def rows(columns: str, table: str) -> list[Any]:
        return database.execute(f"SELECT {columns} FROM {table} ORDER BY at, rowid").fetchall()  # noqa: S608 - as above

    return Memory(
        tuple(BoundSession(*row) for row in rows("session_id, connection_id, traceparent", "sessions")),
        tuple(StoredExchange(*row) for row in rows("turn_id, session_id, said, answered", "exchanges")),
        tuple(SentMessage(*row) for row in rows("message_id, session_id, text", "sent")),
        tuple(
            StoredTurn(turn_id, session_id, attempts, bool(done))
            for turn_id, session_id, attempts, done in rows("turn_id, session_id, attempts, done", "turns")
        ),
    )


def _describe(error: Exception) -> str:
    """SQLite's or the system's own words; no path and nothing that was stored stands in them."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
