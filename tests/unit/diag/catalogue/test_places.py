"""Lines of a TOML text: every part that tomllib sees has one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.catalogue.places import Path, find_lines

TEXT = '''\
# a comment with [brackets] = "and"
top = 1 # = [
"quoted \\" key" = """
many
[lines] = 2
"""
literal = \'\'\'
it''s
\'\'\'

[a.b]
x = [
  "one", # two
  ["nested", { deep = "]" }],
]
y = { p = 1, "q.r" = \'}\', s = [ ] }

[[a.list]]
k = 1
[a.list.sub]
z = 2

[[a.list]]
k = 2
m.n = "dotted"
'''


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from paths(one, (*path, key))


def test_every_part_has_its_line() -> None:
    """Comments, quotes, brackets in texts, arrays over lines, tables of tables."""
    lines = find_lines(TEXT)

    assert set(lines) == set(paths(tomllib.loads(TEXT)))
    expected = {
        ("top",): 2, ('quoted " key',): 3, ("literal",): 7, ("a", "b"): 11, ("a", "b", "x", 0): 13,
        ("a", "b", "x", 1, 1, "deep"): 14, ("a", "b", "y", "q.r"): 16, ("a", "list", 0, "k"): 19,
        ("a", "list", 0, "sub", "z"): 21, ("a", "list", 1): 23, ("a", "list", 1, "m", "n"): 25,
    }  # fmt: skip
    assert {path: lines[path] for path in expected} == expected


def test_line_ends_of_windows_count_once() -> None:
    """Editors differ."""
    assert find_lines(TEXT.replace("\n", "\r\n")) == find_lines(TEXT)


@pytest.mark.parametrize("text", ["", "\n\n", "a=1", "# only", "[a]", "a = '' # x"])
def test_small_texts(text: str) -> None:
    """Nothing hangs, nothing is missed."""
    assert set(find_lines(text)) == set(paths(tomllib.loads(text)))


@given(st.text(max_size=80))
def test_any_text_that_is_toml_is_scanned_whole(text: str) -> None:
    """What tomllib accepts has lines for all of its parts; the scan always ends."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError):
        return
    assert set(paths(table)) <= set(find_lines(text))


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.lists(KEYS, min_size=1, max_size=8, unique=True))
def test_quoted_keys_of_any_characters(keys: list[str]) -> None:
    """One a line."""
    escaped = ["".join(f"\\U{ord(char):08x}" for char in key) for key in keys]
    text = "".join(f'"{key}" = "#[{{"\n' for key in escaped)

    assert find_lines(text) == {(key,): line for line, key in enumerate(keys, 1)}
