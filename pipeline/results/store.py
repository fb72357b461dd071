"""The stored records: one SQLite file, private, bounded, written by this service alone.

Every call blocks for a moment; `StoreThread` keeps them off the event loop, all in one thread, since a
connection belongs to the one that opened it. A record is stored under its place in Kafka, so that one
that is read again changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from pipeline.results.core import Place, StageRecord, StoredStage
from pipeline.wire.tracing import parse_traceparent

FILE = "results.db"
MOST_STAGES = 500_000
MOST_REFUSED = 1_000
# Of a record that was refused so much is kept: what it is, not all that it holds.
KEPT_BYTES = 1_024
_BUSY_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS stages (
    topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER,
    session_id TEXT NOT NULL, turn_id TEXT NOT NULL, stage TEXT NOT NULL,
    finished_ms INTEGER NOT NULL, latency_ms REAL NOT NULL, data TEXT NOT NULL, traceparent TEXT,
    PRIMARY KEY (topic, partition, offset, timestamp_ms)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stages_by_session ON stages (session_id);
CREATE INDEX IF NOT EXISTS stages_by_time ON stages (finished_ms);
CREATE TABLE IF NOT EXISTS refused (
    topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER,
    reason TEXT NOT NULL, bytes INTEGER NOT NULL, beginning BLOB NOT NULL,
    PRIMARY KEY (topic, partition, offset, timestamp_ms)
) WITHOUT ROWID;
"""
_LIST_SESSIONS = """
SELECT session_id, min(finished_ms - latency_ms), max(finished_ms), count(DISTINCT turn_id), count(*)
FROM stages WHERE session_id IN (SELECT session_id FROM stages WHERE finished_ms >= ?)
GROUP BY session_id ORDER BY max(finished_ms) DESC, session_id LIMIT ?
"""
_DROP_OLDEST = """
DELETE FROM {table} WHERE (topic, partition, offset, timestamp_ms) IN (
    SELECT topic, partition, offset, timestamp_ms FROM {table} ORDER BY {time} DESC LIMIT -1 OFFSET ?
)
"""


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was not understood: where it stands, why, how large it is, how it begins."""

    place: Place
    reason: str
    size: int
    beginning: bytes = b""


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session in a list."""

    session_id: str
    first: datetime
    last: datetime
    turns: int
    stages: int


class Store:
    """The open file. Errors are those of `sqlite3`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / FILE
        path.touch(mode=0o600)
        path.chmod(0o600)  # SQLite gives the files beside it the same mode
        self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; what was stored is in it."""
        self._db.close()

    def add(self, stages: Iterable[StoredStage], refused: Iterable[RefusedRecord]) -> None:
        """Store all or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT OR IGNORE INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_to_row, stages)
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((*astuple(r.place), r.reason, r.size, r.beginning[:KEPT_BYTES]) for r in refused),
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def is_new(self, topic: str, partition: int) -> bool:
        """Whether nothing of this partition was ever stored."""
        (known,) = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM stages WHERE topic = :topic AND partition = :partition)"
            " OR EXISTS (SELECT 1 FROM refused WHERE topic = :topic AND partition = :partition)",
            {"topic": topic, "partition": partition},
        ).fetchone()
        return not known

    def read_session(self, session_id: str) -> list[StoredStage]:
        """The session's stages; empty if it is not known."""
        rows = self._db.execute("SELECT * FROM stages WHERE session_id = ?", (session_id,))
        return [_from_row(row) for row in rows]

    def list_sessions(self, since: datetime, limit: int) -> list[SessionSummary]:
        """The sessions with a stage at or after `since`, the latest first."""
        rows = self._db.execute(_LIST_SESSIONS, (_to_ms(since), limit))
        return [SessionSummary(row[0], _to_time(row[1]), _to_time(row[2]), row[3], row[4]) for row in rows]

    def count_refused(self) -> dict[str, int]:
        """How many records are kept aside, by topic."""
        return dict(self._db.execute("SELECT topic, count(*) FROM refused GROUP BY topic ORDER BY topic"))

    def list_refused(self, limit: int) -> list[RefusedRecord]:
        """The latest ones, without what they hold."""
        rows = self._db.execute(
            "SELECT topic, partition, offset, timestamp_ms, reason, bytes FROM refused"
            " ORDER BY timestamp_ms DESC, topic, partition, offset DESC LIMIT ?",
            (limit,),
        )
        return [RefusedRecord(Place(*row[:4]), row[4], row[5]) for row in rows]

    def prune(self, before: datetime) -> int:
        """Remove stages from before `before`, then the oldest that are too many; how many went."""
        gone = self._db.execute("DELETE FROM stages WHERE finished_ms < ?", (_to_ms(before),)).rowcount
        gone += self._db.execute(
            _DROP_OLDEST.format(table="stages", time="finished_ms"), (MOST_STAGES,)
        ).rowcount
        self._db.execute(_DROP_OLDEST.format(table="refused", time="timestamp_ms"), (MOST_REFUSED,))
        return gone


def _to_row(stored: StoredStage) -> tuple[object, ...]:
    record = stored.record
    return (
        *astuple(stored.place),
        record.session_id,
        record.turn_id,
        record.stage,
        _to_ms(record.finished),
        record.latency_ms,
        json.dumps(record.data, sort_keys=True),
        record.trace.to_header() if record.trace else None,
    )


def _from_row(row: tuple[Any, ...]) -> StoredStage:
    *place, session_id, turn_id, stage, finished_ms, latency_ms, data, traceparent = row
    finished, trace = _to_time(finished_ms), parse_traceparent(traceparent)
    record = StageRecord(session_id, turn_id, stage, finished, latency_ms, json.loads(data), trace)
    return StoredStage(Place(*place), record)


def _to_ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _to_time(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class StoreThread:
    """The store in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store: Store | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return self._store is not None

    async def open(self) -> Self:
        """Open or create the file; raises `sqlite3.Error` or `OSError`."""
        self._store = await self._run(Store, self._folder)
        return self

    async def ask(
        self,
        call: Callable[Concatenate[Store, Arguments], Answer],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Answer:
        """The answer of a method of `Store`: ``await store.ask(Store.read_session, session_id)``."""
        if self._store is None:
            raise sqlite3.OperationalError("the store is not open")
        return await self._run(call, self._store, *arguments, **named)

    async def close(self) -> None:
        """Close the file after what waits; nothing can be asked any more."""
        store, self._store = self._store, None
        if store is not None:
            await self._run(store.close)
        self._thread.shutdown(wait=False)

    async def _run(
        self, call: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: call(*arguments, **named))
