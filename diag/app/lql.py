"""``diag lql``: a filter of the query language, explained."""

from __future__ import annotations

from diag.lql.check import check
from diag.model.filter_report import FilterReport


def check_filter(text: str) -> FilterReport:
    """The filter as the service would understand it, or its first error. Nothing is read for it."""
    return check(text)
