"""The Cloud Logging query language: read, written and run. Pure.

    parse(text) -> tree          raises FilterError with line and column
    to_text(tree) -> text        everything quoted: a filter is built from values, never by pasting
    compile_filter(tree) -> predicate over entries in their JSON form
    time_bounds(tree) -> what of the timeline can match at all
    check.check(text) -> the tree explained with what surprises in it, or the first error with a remedy

Facts: "Logging query language" of the Cloud Logging documentation, and AIP-160's grammar.
"""

from diag.errors import FilterError
from diag.lql.bounds import time_bounds
from diag.lql.evaluate import compile_filter
from diag.lql.parser import parse
from diag.lql.text import quote, to_text

__all__ = ["FilterError", "compile_filter", "parse", "quote", "time_bounds", "to_text"]
