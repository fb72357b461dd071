"""The language's regular expressions are RE2: linear in time, whatever the pattern and the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def compile_regex(pattern: str) -> Callable[[str], bool]:
    """Whether `pattern` occurs in a text; raises ValueError with RE2's own words for a bad one."""
    search = _compile(pattern).search
    return lambda text: search(_to_utf8(text)) is not None


def compile_extraction(pattern: str) -> Callable[[str], str | None]:
    """What the one group of `pattern` matches first; None where nothing does.

    Raises:
        ValueError: the pattern is bad, or has not exactly one group.
    """
    compiled = _compile(pattern)
    if compiled.groups != 1:
        raise ValueError(f"it has {compiled.groups} groups; (?:...) groups without capturing")

    def extract(text: str) -> str | None:
        found = compiled.search(_to_utf8(text))
        group: bytes | None = None if found is None else found[1]
        return None if group is None else group.decode("utf-8", "replace")

    return extract


def _compile(pattern: str) -> Any:
    import re2  # noqa: PLC0415  filters with a regex are rare, the module is not free

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_to_utf8(pattern), options)
    except re2.error as error:
        said = error.args[0]
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from error


def _to_utf8(text: str) -> bytes:
    """Half a surrogate pair, which JSON may hold, is no text."""
    return text.encode("utf-8", "replace")
