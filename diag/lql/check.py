"""A filter -> all that can be said of it without running it."""

from __future__ import annotations

from diag.errors import FilterError
from diag.lql.bounds import time_bounds
from diag.lql.describe import describe
from diag.lql.notes import find_notes
from diag.lql.parser import parse
from diag.lql.text import to_text
from diag.model.filter_report import FilterReport, Problem


def check(text: str) -> FilterReport:
    """The tree with its notes, or the first error."""
    try:
        tree = parse(text)
    except FilterError as error:
        problem = Problem(error.problem, error.line, error.column, error.token, error.hint)
        return FilterReport(text, problem=problem)
    low_ns, high_ns = time_bounds(tree)
    return FilterReport(
        given=text,
        tree=tree,
        shown=describe(tree),
        spelt=to_text(tree),
        low_ns=low_ns,
        high_ns=high_ns,
        notes=find_notes(text, tree),
    )
