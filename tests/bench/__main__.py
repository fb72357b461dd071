"""Start-up and throughput of the whole process, as ratios measured in one run.

    python -m tests.bench [--runs N]

Machines differ and are shared, so what counts is the ratio of two commands that were run in turn. Each
row is the median, with the least and the most, in milliseconds of wall time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.cases import DEFAULTS, to_entry

DIAG = str(Path(sys.executable).with_name("diag"))
BARE = """
import typer
app = typer.Typer()
@app.command()
def hello(name: str) -> None: print(name)
@app.command()
def bye(name: str) -> None: print(name)
app()
"""
ENTRIES = 10_000


@dataclass
class Timed:
    """One command and how long its runs took."""

    name: str
    command: Sequence[str]
    seconds: list[float]

    @property
    def median_ms(self) -> float:
        """What to quote."""
        return median(self.seconds) * 1000

    def to_row(self) -> str:
        """Name, median, least and most."""
        low, high = min(self.seconds) * 1000, max(self.seconds) * 1000
        return f"{self.name:<44} {self.median_ms:8.0f} ms  ({low:.0f} to {high:.0f})"


def write_session(folder: Path) -> Path:
    """A file of `ENTRIES` entries: one session of a hundred among 99 others."""
    lines = []
    for number in range(ENTRIES):
        session = DEFAULTS["S"] if number % 100 == 0 else f"session_{1753615601000 + number % 100}_zzzz"
        minute, second = divmod(number // 100, 60)
        line = f"{minute:02d}:{second:02d}.{number % 1000:03d} media-server info Audio published to Kafka successfully :: sessionID={session} packetSize=79 energy=0.57"
        lines.append(json.dumps(to_entry(line, number)))
    path = folder / "entries.ndjson"
    path.write_text("\n".join(lines) + "\n")
    return path


def measure(timed: Sequence[Timed], runs: int, folder: Path) -> None:
    """Each command once a round, one round to warm up."""
    for round_number in range(runs + 1):
        for one in timed:
            begin = time.perf_counter()
            subprocess.run(one.command, cwd=folder, capture_output=True, check=False)
            if round_number:
                one.seconds.append(time.perf_counter() - begin)


def main() -> None:
    """Measure, print the rows and the ratios that are promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        entries = write_session(folder)
        bare = Timed("a bare typer program --help", (sys.executable, "bare.py", "--help"), [])
        helped = Timed("diag --help", (DIAG, "--help"), [])
        read = Timed(
            f"diag session ID FILE, {ENTRIES} entries",
            (DIAG, "session", DEFAULTS["S"], entries.name, "--report", "none"),
            [],
        )
        measure((bare, helped, read), runs, folder)
    for one in (bare, helped, read):
        print(one.to_row())
    print(
        f"diag --help takes {helped.median_ms / bare.median_ms:.2f} times the bare program (promised: at most 3)"
    )
    print(f"{ENTRIES} entries take {read.median_ms / 1000:.2f} s for the whole process (promised: about 1)")


if __name__ == "__main__":
    main()
