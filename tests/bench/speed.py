"""Every promise of speed and memory, measured one after another: docs/speed.md.

    python -m tests.bench.speed [--page FILE]

Half an hour of a machine that does nothing else; the page says what its load was.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "speed.md"


@dataclass(frozen=True)
class Chapter:
    """One benchmark, and what a reader must know to judge its figures."""

    title: str
    module: str
    told: str

    def measure(self) -> Iterator[str]:
        """Its part of the page."""
        shown = subprocess.run(
            (sys.executable, "-m", self.module), stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        yield from ("", f"## {self.title}", "", self.told, "")
        yield from (f"`python -m {self.module}`", "", "```", shown.rstrip(), "```")


CHAPTERS = (
    Chapter(
        "Start, and a small file",
        "tests.bench",
        "Whole processes, run in turn: median, least and most.",
    ),
    Chapter(
        "One session out of a large export",
        "tests.bench.one",
        "ripgrep and DuckDB only find the session's lines; diag answers. It searches the bytes for the session's IDs, again\n"
        "for those that it learns, and decodes only the lines found and those around them.",
    ),
    Chapter(
        "Every session of a large export",
        "tests.bench.many",
        "DuckDB's bare group-by counts the lines of each ID: it reads two fields of each line, in compiled code on all cores.\n"
        "diag decodes every line, redacts it, finds its IDs under any key, joins them, rebuilds each session's turns, clocks and\n"
        "flow, and judges it by every check, in Python. The ratio that was promised is missed: within it, an entry might take\n"
        "some 20 us of one core, of which decoding its JSON takes a fifth. The stages are of one process, on entries of the\n"
        "beginning of the file, each measured three times with the least told; the whole command shares them out over the cores.",
    ),
    Chapter(
        "Live, over gRPC",
        "tests.bench.live",
        "The local Cloud Logging server in a process of its own, on the same machine: Google's client and diag's reader, in turn.",
    ),
)


def to_page(chapters: tuple[Chapter, ...]) -> Iterator[str]:
    """The page's lines; measures as they are asked for."""
    now, load = datetime.now(UTC), os.getloadavg()[0]
    yield "# How fast diag is, and what it takes"
    yield ""
    yield f"Made by `python -m tests.bench.speed` on {now:%d %b %Y}: {os.cpu_count()} cores, Python {platform.python_version()}, a load"
    yield f"of {load:.1f} before it began. Seconds are of that machine; what is promised are ratios, measured in one run."
    for chapter in chapters:
        print(chapter.title, file=sys.stderr)
        yield from chapter.measure()


def main() -> None:
    """Measure all, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, default=PAGE)
    page: Path = parser.parse_args().page
    page.write_text("\n".join(to_page(CHAPTERS)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
