"""Pieces on disk: whole or not there, this user's alone, bounded, and never an error."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from diag.catalogue import load_catalogue
from diag.model import frames
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.normalise import to_frame
from diag.sources.cache import EntryCache, find_cache_folder, find_version
from diag.sources.cache import folder as disk
from diag.sources.cache import version as versions
from tests.cases import START_NS, to_entry

CHECKOUT = Path(__file__).parents[4]
WINDOW = Window(START_NS, START_NS + 3600 * NS_PER_S)
MB = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home/.cache/diag"


def entries(count: int = 5, first: int = 0) -> pl.DataFrame:
    rows = [to_entry(f"00:{n:02d}.000 llm-service info line {n}", n) for n in range(first, first + count)]
    return to_frame([LogRecord(row, source="cloud-logging") for row in rows], load_catalogue())


def cache(path: Path, most_bytes: int = MB, version: str = "v") -> EntryCache:
    return EntryCache(path, most_bytes, version)


def kept(path: Path, question: str = "q") -> list[list[tuple] | None]:
    """The rows that another process would find, piece by piece; None for a piece that can not be read."""
    other = cache(path)
    found = [other.load(piece) for piece in other.find(question)]
    assert other.problem == ""
    return [None if frame is None else frame.rows() for frame in found]


def test_what_is_kept_comes_back_as_it_was(path: Path) -> None:
    """Of the window alone, in the order in which it was read; for its question and version alone."""
    window = Window(START_NS, START_NS + 3 * NS_PER_S)
    cache(path).keep("q", window, entries())

    assert kept(path) == [entries(3).rows()]
    assert kept(path, "other question") == []
    assert cache(path, version="other version").find("q") == ()


def test_a_window_without_entries_is_kept_too(path: Path) -> None:
    """That there is nothing is an answer."""
    cache(path).keep("q", WINDOW, frames.no_entries())

    assert kept(path) == [[]]


def test_entries_without_a_time_are_not_kept(path: Path) -> None:
    """Nobody can tell of which window they are."""
    timeless = entries().with_columns(pl.lit(None, pl.Int64).alias(frames.TIME))
    cache(path).keep("q", WINDOW, timeless)

    assert kept(path) == []


# What is broken


def broken(content: bytes) -> dict[str, bytes]:
    flipped = {
        f"bit {at}": content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        for at in (0, 5, 12, 13, 30, 44, 45, 60, len(content) // 2, len(content) - 1)
    }
    cut = {f"cut {length}": content[:length] for length in (0, 1, 13, 44, 45, 46, len(content) // 2)}
    return {**flipped, **cut, "longer": content + b"\0", "text": b"hello", "zeros": bytes(len(content))}


def test_a_broken_file_is_dropped_and_no_error(path: Path) -> None:
    """Whatever happened to it; the next run reads anew and keeps again."""
    cache(path).keep("q", WINDOW, entries())
    (file,) = path.iterdir()
    content = file.read_bytes()

    for what, bad in broken(content).items():
        file.write_bytes(bad)
        assert kept(path) == [None], what
        assert not file.exists(), what
    cache(path).keep("q", WINDOW, entries())
    assert kept(path) == [entries().rows()]


def test_a_file_under_the_name_of_another_is_broken(path: Path) -> None:
    """The name says of which window it is, so the checksum holds for the name."""
    cache(path).keep("q", WINDOW, entries())
    (file,) = path.iterdir()
    file.rename(path / file.name.replace(str(WINDOW.end_ns), str(WINDOW.end_ns + 1)))

    assert kept(path) == [None]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda at: at.symlink_to("/etc/passwd")])
def test_what_is_no_file_is_neither_followed_nor_waited_for(path: Path, make) -> None:
    """A pipe would wait for ever, a link would lead elsewhere."""
    cache(path).keep("q", WINDOW, entries())
    (file,) = path.iterdir()
    file.unlink()
    make(file)

    assert kept(path) == []
    cache(path).keep("q", WINDOW, entries())


def test_a_file_that_may_not_be_read_is_as_good_as_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or one that the disk can not give any more."""
    cache(path).keep("q", WINDOW, entries())
    real = os.open

    def refuse(name, *args, **kwargs):
        if str(name).endswith(".entries"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(name, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)

    assert kept(path) == [None]


# Whose it is


def test_folder_and_files_are_this_users_alone(path: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        cache(path).keep("q", WINDOW, entries())
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in path.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(path: Path, mode: int) -> None:
    """Neither read nor written: what is in it may be anybody's."""
    cache(path).keep("q", WINDOW, entries())
    path.chmod(mode)
    refusing = cache(path)

    assert refusing.find("q") == ()
    assert "others may write to it" in refusing.problem
    assert str(path) not in refusing.problem
    cache(path).keep("other", WINDOW, entries())
    assert len(list(path.iterdir())) == 1


def test_a_folder_that_others_may_read_is_closed(path: Path) -> None:
    """What is kept is redacted, and still nobody else's."""
    path.mkdir(parents=True, mode=0o755)
    cache(path).keep("q", WINDOW, entries())

    assert path.stat().st_mode & 0o777 == 0o700


def test_the_folder_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a closed one."""
    cache(path).keep("q", WINDOW, entries())
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    refusing = cache(path)

    assert refusing.find("q") == ()
    assert "another user" in refusing.problem


def test_a_link_in_the_place_of_the_folder_is_refused(path: Path, tmp_path: Path) -> None:
    """It leads where somebody else decides; a dangling one makes nothing there."""
    elsewhere = tmp_path / "elsewhere"
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    refusing = cache(path)
    refusing.keep("q", WINDOW, entries())
    assert not elsewhere.exists()
    elsewhere.mkdir(mode=0o700)

    refusing.keep("q", WINDOW, entries())

    assert list(elsewhere.iterdir()) == []
    assert "a link" in refusing.problem


def test_a_file_in_the_place_of_the_folder_is_no_error(path: Path) -> None:
    """Nor one in the place of a folder above."""
    path.parent.parent.mkdir()
    path.parent.write_text("")
    refusing = cache(path)

    refusing.keep("q", WINDOW, entries())

    assert refusing.find("q") == ()
    assert refusing.problem


def test_where_it_is_is_said_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the rules of XDG: a path that is not absolute does not count."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_cache_folder({"XDG_CACHE_HOME": "/var/cache/me"}) == Path("/var/cache/me/diag")
    for unset in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "cache"}):
        assert find_cache_folder(unset) == tmp_path / ".cache/diag"
    monkeypatch.setenv("HOME", "nowhere")
    assert find_cache_folder({}) is None


# How much it is


def test_the_least_recently_used_goes_first(path: Path) -> None:
    """And all that is kept takes no more than it may."""
    cache(path).keep("0", WINDOW, entries())
    (file,) = path.iterdir()
    most = file.stat().st_size * 3 + 100
    for number in range(1, 3):
        cache(path, most).keep(str(number), WINDOW, entries())
    for age, one in enumerate(cache(path).find(question)[0].name for question in "210"):
        os.utime(path / one, (time.time() - 1000 * (age + 1),) * 2)
    kept(path, "0")  # the oldest is used, so "1" is the least recently used now

    cache(path, most).keep("3", WINDOW, entries())

    assert [bool(cache(path).find(question)) for question in "0123"] == [True, False, True, True]
    assert sum(one.stat().st_size for one in path.iterdir()) <= most


def test_what_another_process_keeps_meanwhile_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both make room before they write; whoever ends last sees what both have written."""
    cache(path).keep("0", WINDOW, entries())
    most = next(path.iterdir()).stat().st_size * 2 + 100
    real = disk.write_file

    def write(folder, name, content):
        real(folder, "0" * 32 + "-1-2.entries", content)
        real(folder, name, content)

    monkeypatch.setattr(disk, "write_file", write)
    cache(path, most).keep("1", WINDOW, entries())

    assert cache(path).find("1")
    assert sum(one.stat().st_size for one in path.iterdir()) <= most


def test_what_is_larger_than_all_may_be_is_not_kept(path: Path) -> None:
    """And costs nothing of what is."""
    cache(path).keep("small", WINDOW, entries())
    (file,) = path.iterdir()

    cache(path, file.stat().st_size).keep("large", WINDOW, entries(50))

    assert [one.name for one in path.iterdir()] == [file.name]


def test_what_nobody_used_for_a_month_goes(path: Path) -> None:
    """With it goes what a killed process left; what is not ours stays."""
    cache(path).keep("old", WINDOW, entries())
    (old,) = path.iterdir()
    left = path / f"{old.name}.0011223344556677.new"
    foreign = path / "notes.txt"
    for file in (left, foreign):
        file.write_text("x")
    for file in (old, left, foreign):
        os.utime(file, (0, 0))

    cache(path).keep("new", WINDOW, entries())

    assert {one.name for one in path.iterdir()} == {"notes.txt", cache(path).find("new")[0].name}


# What goes wrong


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_costs_nothing_but_the_keeping(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """It is said, what was kept stays, and nothing half is left."""
    cache(path).keep("before", WINDOW, entries())

    def fail(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    full = cache(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        full.keep("after", WINDOW, entries())

    assert "No space left" in full.problem
    assert len(list(path.iterdir())) == 1
    assert kept(path, "before") == [entries().rows()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_a_disk_that_is_full_in_the_middle_of_a_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own error, not ours."""
    real = os.open

    def open_full(name, flags, *args, **kwargs):
        if flags & os.O_CREAT:
            os.close(real(name, flags, *args, **kwargs))
            return real("/dev/full", os.O_WRONLY)
        return real(name, flags, *args, **kwargs)

    full = cache(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_full)
        full.keep("q", WINDOW, entries())

    assert "No space left" in full.problem
    assert list(path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is mounted read-only still saves requests."""
    cache(path).keep("q", WINDOW, entries())
    real = os.open

    def refuse(name, flags, *args, **kwargs):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    reading = cache(path)
    reading.keep("other", WINDOW, entries())

    assert "Permission denied" in reading.problem
    assert kept(path) == [entries().rows()]


KILLED = """
import os, signal, sys
from pathlib import Path
from diag.sources.cache import folder as disk

path, call, content = Path(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
name = sys.argv[4]

def die(*_args, **_kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if call != "loop":
    setattr(os, call, die)
with disk.open_folder(path, create=True) as folder:
    if call == "half":
        handle = os.open(f"{name}.00.new", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder)
        os.write(handle, content[: len(content) // 2])
        die()
    while True:
        disk.write_file(folder, name, content)
        print("written", flush=True)
"""


def start_writer(path: Path, call: str, content: bytes, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), call, content.hex(), name],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )


def sealed(tmp_path: Path) -> tuple[str, bytes]:
    """A piece as it stands on disk."""
    cache(tmp_path / "other").keep("q", WINDOW, entries())
    (file,) = (tmp_path / "other").iterdir()
    return file.name, file.read_bytes()


@pytest.mark.parametrize("call", ["fsync", "rename", "half"])
def test_a_process_that_is_killed_in_a_write_leaves_no_broken_piece(
    path: Path, tmp_path: Path, call: str
) -> None:
    """Before it is on disk, before it has its name, and in the middle of its bytes."""
    name, content = sealed(tmp_path)
    with start_writer(path, call, content, name) as writer:
        assert writer.wait() == -9

    assert kept(path) == []
    assert [one.name.endswith(".new") for one in path.iterdir()] == [True]
    cache(path).keep("q", WINDOW, entries())
    assert kept(path) == [entries().rows()]


def test_a_process_that_is_killed_at_any_moment_leaves_whole_pieces(path: Path, tmp_path: Path) -> None:
    """Again and again, while it writes over what is there."""
    name, content = sealed(tmp_path)
    for writes in range(1, 13):
        with start_writer(path, "loop", content, name) as writer:
            for _ in range(writes):
                writer.stdout.readline()
            writer.kill()

        assert kept(path) == [entries().rows()], writes


SHARING = """
import sys
from pathlib import Path
from tests.unit.diag.sources.test_cache import WINDOW, cache, entries

path, most, mine = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    one = cache(path, most)
    one.keep(f"{mine} {number % 7}", WINDOW, entries(1 + number % 5))
    one.keep(f"shared {number % 3}", WINDOW, entries(3))
    for piece in one.find(f"shared {number % 3}"):
        found = one.load(piece)
        assert found is None or found.equals(entries(3))
    assert one.problem == "", one.problem
"""


def test_two_processes_share_it(path: Path) -> None:
    """They write, read and make room at once: nothing is broken, nothing fails, and the bound holds."""
    cache(path).keep("q", WINDOW, entries())
    most = next(path.iterdir()).stat().st_size * 8
    command = [sys.executable, "-c", SHARING, str(path), str(most)]
    both = [
        subprocess.Popen(
            [*command, mine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
        for mine in "ab"
    ]
    for one in both:
        one.stdout.readline()
    for one in both:
        one.stdin.write(b"\n")
        one.stdin.flush()
    for one in both:
        _, complaint = one.communicate(timeout=100)
        assert one.returncode == 0, complaint.decode()

    assert sum(one.stat().st_size for one in path.iterdir()) <= most
    assert all(found is not None for number in range(3) for found in kept(path, f"shared {number}"))


def test_the_version_is_that_of_code_and_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another line of redaction, another word in a catalogue, another order of catalogues."""
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text("a = 1\n")
    other.write_text("b = 1\n")
    before = find_version(())

    assert find_version(()) == before
    found = [
        find_version(names) for names in ((), (str(one),), (str(one), str(other)), (str(other), str(one)))
    ]
    one.write_text("a = 2\n")
    assert len({*found, find_version((str(one),))}) == 5

    real = versions._read_code

    def changed():
        return [(name, code + b"#" * name.endswith("patterns.py")) for name, code in real()]

    monkeypatch.setattr(versions, "_read_code", changed)
    assert find_version(()) != before
