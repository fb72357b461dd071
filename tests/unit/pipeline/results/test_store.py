"""The store: nothing twice, nothing half, nothing without bound, and for its owner's eyes only."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.results import store as module
from pipeline.results.core import Place, StageRecord, StoredStage
from pipeline.results.store import RefusedRecord, Store, StoreThread
from pipeline.wire.tracing import start_trace

NOON = datetime(2025, 7, 27, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "results")
    yield store
    store.close()


def stage(offset: int, session_id: str = "session_1", minutes: int = 0, **place: int) -> StoredStage:
    record = StageRecord(
        session_id,
        f"turn_{offset}",
        "stt",
        NOON + timedelta(minutes=minutes),
        250.0,
        {"chars": 7},
        start_trace(),
    )
    return StoredStage(Place("stt-results", place.get("partition", 0), offset, place.get("ms", 1)), record)


def test_what_was_stored_is_there_in_the_next_process(tmp_path: Path) -> None:
    """Every field of it."""
    before, kept = Store(tmp_path), stage(4)
    before.add([kept], [])
    before.close()
    after = Store(tmp_path)
    found = after.read_session("session_1")
    after.close()

    assert found == [kept]


def test_a_record_that_is_read_again_changes_nothing(store: Store) -> None:
    """A commit may be lost after the store; in a topic made anew the same place is another record."""
    store.add([stage(4), stage(4, "session_2")], [])
    store.add([stage(4)], [])
    store.add([stage(4, "session_3", ms=2)], [])

    assert len(store.read_session("session_1")) == 1
    assert store.read_session("session_2") == []
    assert len(store.read_session("session_3")) == 1


def test_a_failed_batch_leaves_nothing_behind(store: Store) -> None:
    """And the store goes on."""
    with pytest.raises(AttributeError):
        store.add([stage(4), StoredStage(stage(5).place, None)], [])  # type: ignore[arg-type]
    store.add([stage(6)], [])

    assert [found.place.offset for found in store.read_session("session_1")] == [6]


def test_sessions_are_listed_from_a_time_on_the_latest_first(store: Store) -> None:
    """A session that goes on after it is listed whole."""
    store.add([stage(1, "a"), stage(2, "b", 10), stage(3, "c", 20), stage(4, "a", 30)], [])
    found = store.list_sessions(NOON + timedelta(minutes=15), 10)

    assert [(one.session_id, one.turns, one.stages) for one in found] == [("a", 2, 2), ("c", 1, 1)]
    assert found[0].first == NOON - timedelta(milliseconds=250)
    assert [one.session_id for one in store.list_sessions(NOON, 1)] == ["a"]


def test_a_partition_is_new_until_something_of_it_was_stored(store: Store) -> None:
    """Also what was refused counts as read."""
    store.add([stage(1)], [RefusedRecord(Place("tts-results", 2, 0, 1), "not JSON", 3)])

    assert not store.is_new("stt-results", 0)
    assert not store.is_new("tts-results", 2)
    assert store.is_new("stt-results", 1)


def test_of_a_refused_record_the_beginning_is_kept(store: Store, tmp_path: Path) -> None:
    """Counted, told by place and reason, and a megabyte of rubbish is not stored."""
    store.add(
        [], [RefusedRecord(Place("stt-results", 0, n, n), "not JSON", 10**6, b"x" * 10**6) for n in range(3)]
    )

    assert store.count_refused() == {"stt-results": 3}
    assert [(one.place.offset, one.reason, one.size) for one in store.list_refused(2)] == [
        (2, "not JSON", 10**6),
        (1, "not JSON", 10**6),
    ]
    assert sum(path.stat().st_size for path in (tmp_path / "results").iterdir()) < 300_000


def test_what_is_past_its_retention_or_too_much_is_removed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest first, of refused records too."""
    monkeypatch.setattr(module, "MOST_STAGES", 2)
    monkeypatch.setattr(module, "MOST_REFUSED", 1)
    refused = [RefusedRecord(Place("stt-results", 1, n, n), "not JSON", 1) for n in range(3)]
    store.add([stage(n, f"session_{n}", n) for n in range(5)], refused)

    assert store.prune(NOON + timedelta(minutes=1)) == 3
    assert [one.session_id for one in store.list_sessions(NOON, 9)] == ["session_4", "session_3"]
    assert [one.place.offset for one in store.list_refused(9)] == [2]


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    """Folder, database, and what SQLite puts beside it."""
    store = Store(tmp_path / "results")
    store.add([stage(1)], [])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "results").iterdir()}
    store.close()

    assert stat.S_IMODE((tmp_path / "results").stat().st_mode) == 0o700
    assert modes == {"results.db": 0o600, "results.db-wal": 0o600, "results.db-shm": 0o600}


async def test_a_store_that_is_closed_says_so(tmp_path: Path) -> None:
    """A request that comes during the end is no crash of another kind."""
    store = await StoreThread(tmp_path).open()
    await store.close()

    assert not store.is_open
    with pytest.raises(sqlite3.OperationalError, match="not open"):
        await store.ask(Store.read_session, "session_1")
