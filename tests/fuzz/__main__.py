"""``make fuzz``: many random filters, log files or Kafka records; the result as one paragraph for the documentation.

Exits 1 at the first broken promise and names the case, which ``--case`` shows and runs alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz.promises import RUNS, count_cases, make_text

_SHARE = 5_000
_BEGIN, _END = "<!-- fuzz {}: begin -->\n", "<!-- fuzz {}: end -->\n"


def main() -> int:
    """Run the cases that the command line asks for."""
    arguments = _parse_arguments()
    if arguments.case is not None:
        if arguments.about == "filters":
            print(repr(make_text(arguments.seed, arguments.case)))
        print(RUNS[arguments.about](arguments.seed, arguments.case))
        return 0
    began = time.monotonic()
    counts = _run(arguments)
    said = _describe(counts, arguments)
    print(f"{said} {time.monotonic() - began:.0f} s.")
    if arguments.page:
        _write(arguments.page, arguments.about, said)
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--about", choices=sorted(RUNS), default="filters")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="show and run this case alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page", type=Path, help="a page whose paragraph between the fuzz marks is replaced")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> Counter[str]:
    cases = arguments.cases
    shares = [range(first, min(first + _SHARE, cases)) for first in range(0, cases, _SHARE)]
    counts: Counter[str] = Counter()
    with ProcessPoolExecutor(arguments.processes) as pool:
        for done in pool.map(partial(count_cases, arguments.seed, about=arguments.about), shares):
            counts += done
            print(
                _describe(counts, arguments), file=sys.stderr, flush=True
            )  # who ends it knows how far it came
    return counts


def _describe(counts: Counter[str], arguments: argparse.Namespace) -> str:
    parts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
    return f"Seed {arguments.seed}, {arguments.about}: {counts.total():,} cases, no promise broken ({parts})."


def _write(page: Path, about: str, said: str) -> None:
    begin, end = _BEGIN.format(about), _END.format(about)
    before, rest = page.read_text("utf-8").split(begin)
    page.write_text(f"{before}{begin}{said}\n{end}{rest.split(end)[1]}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
