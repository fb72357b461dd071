"""The entry point of the package: somebody answers a Ctrl-C before the program itself is imported."""

from __future__ import annotations

from diag.cli.ending import NO_RESULT, ending_at_once


def main() -> None:
    """Run the program; a KeyboardInterrupt among its imports would be a traceback."""
    with ending_at_once(NO_RESULT):
        from diag.cli.program import run

        run()
