"""``--where``: the filter as it was typed, or its first error with a caret under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from diag.cli import output
from diag.errors import ExitCode

if TYPE_CHECKING:
    from diag.model.filters import Filter


def read_where(text: str | None) -> Filter | None:
    """The filter; None where none is given, or an empty one. Ends the command where it is no filter."""
    if text is None or not text.strip():
        return None
    from diag.app.lql import check_filter
    from diag.model.filters import EVERYTHING
    from diag.render.lql import render_filter

    report = check_filter(output.to_text(text))
    if report.problem is None:
        return None if report.tree == EVERYTHING else report.tree  # a comment alone
    output.note(f"diag: --where\n{render_filter(report).plain}")
    raise typer.Exit(ExitCode.USAGE)
