"""What is remembered over a restart; and a file that fails costs a line, never the service."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.orchestrator import store as store_module
from pipeline.orchestrator.memory import BoundSession, Memory, SentMessage, StoredExchange, StoredTurn
from pipeline.orchestrator.sent import MOST_MESSAGES
from pipeline.orchestrator.store import FILE_NAME, KEEP_S, StateStore
from pipeline.wire.log_lines import Log

SESSION = BoundSession("session_a", "ws_1", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
EXCHANGE = StoredExchange("turn_1", "session_a", "hello", "good day")
MESSAGE = SentMessage("turn_1/final_transcript", "session_a", '{"text": "hello"}')
TURN = StoredTurn("turn_1", "session_a", 1, done=True)


@pytest.fixture
def open_store(tmp_path: Path, lines):
    """Opens the store of one folder, as often as the process starts."""
    opened: list[StateStore] = []

    def open_it() -> StateStore:
        opened.append(StateStore(tmp_path / "state", Log("orchestrator")))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def _fill(store: StateStore) -> None:
    store.keep_session(SESSION)
    store.keep_exchange(EXCHANGE)
    store.keep_sent(MESSAGE)
    store.keep_turn(TURN)


def test_what_was_kept_comes_back(open_store, lines) -> None:
    """All of it, in a file that nobody else may read."""
    store = open_store()
    assert store.load() == Memory()
    _fill(store)
    store.close()

    assert open_store().load() == Memory((SESSION,), (EXCHANGE,), (MESSAGE,), (TURN,))
    assert lines.all == []


def test_the_file_is_the_owners_alone(open_store, tmp_path: Path) -> None:
    """What was said stands in it."""
    _fill(open_store())
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "state").iterdir()}

    assert modes == {0}


def test_a_killed_process_loses_nothing(tmp_path: Path, open_store) -> None:
    """What was kept before SIGKILL is there after it."""
    script = f"""
import os, signal
from pathlib import Path
from types import SimpleNamespace
from pipeline.orchestrator.memory import BoundSession
from pipeline.orchestrator.store import StateStore
from pipeline.wire.log_lines import Log
StateStore(Path({str(tmp_path / "state")!r}), Log("orchestrator")).keep_session(BoundSession("session_a", "ws_1", None))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[4]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=False)

    assert open_store().load().sessions == (BoundSession("session_a", "ws_1", None),)


def test_a_session_that_is_over_leaves_nothing_but_its_turns(open_store) -> None:
    """Its records may be read once more, and its turns are not to be led again."""
    store = open_store()
    _fill(store)
    store.forget("session_a")

    assert store.load() == Memory(turns=(TURN,))


def test_what_is_old_is_forgotten(open_store, monkeypatch) -> None:
    """The file does not grow for ever."""
    store = open_store()
    _fill(store)
    monkeypatch.setattr(store_module, "KEEP_S", -1.0)

    assert store.load() == Memory()


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """The store's clock, which goes only where it is set."""
    clock = SimpleNamespace(now=1_000_000.0)
    monkeypatch.setattr(
        store_module, "time", SimpleNamespace(time=lambda: clock.now, monotonic=time.monotonic)
    )
    return clock


def test_a_session_that_lives_is_never_forgotten(open_store, clock) -> None:
    """However long ago it began and its caller said something: all of it is there for the next process."""
    store = open_store()
    _fill(store)
    for _ in range(50):
        clock.now += KEEP_S / 10
        store.prune(lambda session_id: session_id == "session_a")
    store.close()
    clock.now += KEEP_S / 10

    assert open_store().load() == Memory((SESSION,), (EXCHANGE,), (MESSAGE,))  # the turn is over and done


def test_a_session_that_was_heard_of_last_an_hour_ago_is_forgotten(open_store, clock) -> None:
    """Its last activity counts, not its beginning; and nobody else's goes with it."""
    store = open_store()
    _fill(store)
    clock.now += KEEP_S - 10
    store.keep_session(BoundSession("session_b", "ws_2", None))
    clock.now += 20
    store.prune()

    assert store.load() == Memory((BoundSession("session_b", "ws_2", None),))


def test_a_session_that_lives_long_keeps_its_last_messages_alone(open_store, clock) -> None:
    """In their order. A call of a whole day does not fill the file."""
    store = open_store()
    messages = [SentMessage(f"m{number:03}", "session_a", "x") for number in range(100)]
    for message in messages:
        store.keep_sent(message)
        clock.now += KEEP_S / 10
        store.prune(lambda _: True)
    clock.now += KEEP_S
    store.prune(lambda _: True)

    kept = store.load().sent
    assert kept == tuple(messages[-len(kept) :])
    assert len(kept) >= MOST_MESSAGES
    assert len(kept) < 50


def test_nothing_is_read_through_for_one_session(open_store, monkeypatch, tmp_path: Path) -> None:
    """However many sessions stand in the file, and also where an earlier process made it without indexes."""
    with sqlite3.connect(_file_of_the_first_version(tmp_path)) as database:
        store = open_store()
        asked: list[str] = []
        store._database.set_trace_callback(asked.append)
        _fill(store)
        store.prune(lambda _: True)
        monkeypatch.setattr(store_module, "KEEP_S", -1.0)  # all of it is old
        store.prune(lambda _: True)
        store.forget(SESSION.session_id)
        plans = {
            statement: [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
            for statement in asked
        }
    database.close()

    assert any(statement.startswith("UPDATE exchanges") for statement in plans)
    assert [steps for steps in plans.values() if any(_is_scan_of_a_table(step) for step in steps)] == []


def _file_of_the_first_version(folder: Path) -> Path:
    (folder / "state").mkdir()
    path = folder / "state" / FILE_NAME
    database = sqlite3.connect(path)
    database.executescript(f"{store_module._SCHEMA}PRAGMA user_version={store_module.VERSION};")
    database.close()
    return path


def _is_scan_of_a_table(step: str) -> bool:
    return step.startswith("SCAN") and any(
        table in step for table in ("sessions", "exchanges", "sent", "turns")
    )


def _spoil(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1_000)


def _age(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()


def _lend(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()


@pytest.mark.parametrize("harm", [_spoil, _age, _lend])
def test_a_file_that_is_not_usable_is_set_aside(open_store, tmp_path: Path, lines, harm) -> None:
    """Broken, of another version, or another program's: it is kept beside, and begun anew."""
    (tmp_path / "state").mkdir()
    harm(tmp_path / "state" / FILE_NAME)
    store = open_store()
    _fill(store)

    assert store.load().sessions == (SESSION,)
    assert (tmp_path / "state" / lines.one("state-begun-anew")["set_aside"]).exists()


def test_a_locked_file_costs_one_line(open_store, tmp_path: Path, lines) -> None:
    """Not one for each write, and no waiting."""
    store = open_store()
    holder = sqlite3.connect(tmp_path / "state" / FILE_NAME, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    for _ in range(3):
        _fill(store)
    holder.execute("ROLLBACK")
    holder.close()

    assert "locked" in lines.one("state-not-kept")["error"]


def test_a_full_disk_costs_one_line(open_store, lines) -> None:
    """The service goes on without."""
    store = open_store()
    assert store._database is not None
    store._database.execute("PRAGMA max_page_count=8")
    for number in range(200):
        store.keep_sent(SentMessage(f"m{number}", "session_a", "x" * 500))

    assert "full" in lines.one("state-not-kept")["error"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_costs_one_line(tmp_path: Path, lines) -> None:
    """As above, from the start."""
    tmp_path.chmod(0o500)
    store = StateStore(tmp_path / "state", Log("orchestrator"))
    _fill(store)

    assert store.load() == Memory()
    assert lines.one("state-not-kept")["error"]


def test_a_folder_that_is_a_file_costs_one_line(tmp_path: Path, lines) -> None:
    """No path of the machine stands in it."""
    (tmp_path / "state").touch()
    store = StateStore(tmp_path / "state", Log("orchestrator"))
    _fill(store)

    assert store.load() == Memory()
    assert str(tmp_path) not in lines.one("state-not-kept")["error"]
