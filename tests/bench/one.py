"""One session out of a large export, beside what other tools need to find its lines in the same file.

    python -m tests.bench.one [--sessions N] [--runs N]

10,000 sessions are about a million entries. Told are whole processes, run in turn: ripgrep (else grep) and
DuckDB, which only filter, and diag, which answers; then one search of diag's own alone, and the memory for
the file and for a quarter of it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median

import orjson

from diag.sources.files.scan import LineSearch
from tests.bench.many import DIAG, run, weigh, write_window

FILTER = """
import duckdb, sys
found = duckdb.sql('''
    select * from read_json($file, format = 'newline_delimited', columns = {timestamp: 'TIMESTAMP', jsonPayload: 'JSON'})
    where coalesce(jsonPayload->>'sessionID', jsonPayload->>'session_id') = $id''',
    params={"file": sys.argv[1], "id": sys.argv[2]}).fetchall()
print(len(found))
"""
PROMISED_PASS, PROMISED_RATIO = 1.5, 2


def find_session(file: Path, entries: int) -> str:
    """A session from the middle of the file that many lines name."""
    named: dict[str, int] = {}
    with file.open("rb") as stream:
        for line in islice(stream, entries // 2, entries // 2 + 2_000):
            text = orjson.loads(line).get("jsonPayload", {}).get("sessionID", "")
            if text.startswith("session_"):
                named[text] = named.get(text, 0) + 1
    return max(named, key=lambda text: named[text])


def write_quarter(file: Path, session: str, entries: int) -> Path:
    """The quarter of the lines around the session's."""
    quarter = file.with_name("quarter.ndjson")
    begin = entries * 3 // 8
    with file.open("rb") as whole, quarter.open("wb") as part:
        part.writelines(islice(whole, begin, begin + entries // 4))
    assert session.encode() in quarter.read_bytes()
    return quarter


def search(file: Path, session: str) -> float:
    """Seconds of one search through the whole file."""
    begin = time.perf_counter()
    found = sum(map(len, LineSearch(str(file), [session.encode()])))
    assert found
    return time.perf_counter() - begin


def compare(file: Path, session: str, runs: int) -> None:
    """Whole processes, and one search alone, in turn."""
    scanner = shutil.which("rg") or "grep"
    commands: dict[str, Sequence[str]] = {
        f"{Path(scanner).name} -F": (scanner, "-F", session, str(file)),
        "DuckDB's filter": (sys.executable, "-c", FILTER, str(file), session),
        "diag session": (DIAG, "session", session, str(file), "--report", "none", "--quiet"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in (*commands, "one search")}
    for _ in range(runs):
        for name, command in commands.items():
            seconds[name].append(run(command))
        seconds["one search"].append(search(file, session))
    for name, found in seconds.items():
        print(f"{name:<20} {median(found):8.3f} s  ({min(found):.3f} to {max(found):.3f})")
    scan, bare, ours = (median(seconds[name]) for name in commands)
    alone = median(seconds["one search"])
    print(
        f"one search takes {alone / scan:.1f} times {Path(scanner).name} (promised: at most {PROMISED_PASS})"
    )
    print(f"diag takes {ours / bare:.1f} times DuckDB's filter (promised: at most {PROMISED_RATIO})")


def main() -> None:
    """Write the file, compare, tell the memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "window.ndjson"
        entries = write_window(file, options.sessions)
        session = find_session(file, entries)
        print(f"{entries:,} entries, {file.stat().st_size / 1e9:.2f} GB, asked for {session}")
        compare(file, session, options.runs)
        for part in (write_quarter(file, session, entries), file):
            command = (DIAG, "session", session, str(part), "--report", "none", "--quiet")
            print(f"memory {weigh(command):.0f} MB of {part.stat().st_size / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
