"""The entry point of the package: somebody answers a Ctrl-C before the program itself is imported."""

from __future__ import annotations

from diag.cli.ending import NO_RESULT, end_at_once, end_with


def main() -> None:
    """Run the program; a KeyboardInterrupt among its imports, or at its very end, would be a traceback."""
    end_at_once(NO_RESULT)
    from diag.cli.program import run

    end_with(run())
