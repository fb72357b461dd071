"""How accurate diag is, measured on a generated world whose truth is known.

    python -m tests.accuracy [--sessions N] [--seed N] [--misses N] [--page FILE]

Writes the page and exits 1 if a promised figure is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.accuracy.court import NOT_MEASURED, judge
from tests.accuracy.judges.base import Figure
from tests.accuracy.page import write_page
from tests.accuracy.world import build_world

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
SESSIONS, SEED = 1000, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, judge, write, print; 0 if every promise is kept."""
    options = _read_options(arguments)
    world = build_world(options.seed, options.sessions)
    judges = judge(world)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(write_page(world, judges), "utf-8")
    figures = [figure for one in judges for figure in one.figures()]
    for figure in figures:
        print(_describe(figure))
        for miss in figure.misses[: options.misses]:
            print(f"    {miss}")
    for name, promised in NOT_MEASURED:
        print(f"{name}: not measured: diag does not answer it yet (promised: {promised})")
    return 0 if all(figure.is_met for figure in figures) else 1


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="sessions of the world")
    parser.add_argument("--seed", type=int, default=SEED, help="the world's seed")
    parser.add_argument("--misses", type=int, default=0, help="misses to print for each figure")
    parser.add_argument("--page", type=Path, default=PAGE, help="where to write the page")
    return parser.parse_args(arguments)


def _describe(figure: Figure) -> str:
    share = "no case" if figure.share is None else f"{figure.share:.4%}"
    promised = "" if figure.promised is None else f" (promised: {figure.promised:.1%})"
    missed = "" if figure.is_met else " MISSED"
    return f"{figure.name}: {share}, {figure.hits} of {figure.total}{promised}{missed}"


if __name__ == "__main__":
    sys.exit(main())
