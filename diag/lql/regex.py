"""The language's regular expressions are RE2: linear in time, whatever the pattern and the text."""

from __future__ import annotations

from collections.abc import Callable


def compile_regex(pattern: str) -> Callable[[str], bool]:
    """Whether `pattern` occurs in a text; raises ValueError with RE2's own words for a bad one."""
    import re2  # noqa: PLC0415  filters with a regex are rare, the module is not free

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode() if isinstance(said, bytes) else str(said)) from error
    return lambda text: compiled.search(text) is not None
