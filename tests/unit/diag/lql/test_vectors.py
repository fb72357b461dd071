"""The query language, held to its documentation by one table (tests/vectors/lql.toml)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from diag import lql

VECTORS = tomllib.loads((Path(__file__).parents[3] / "vectors/lql.toml").read_text("utf-8"))
ROWS = [
    (name, section["entry"], text, wanted)
    for name, section in VECTORS.items()
    if "entry" in section
    for wanted, key in ((True, "holds"), (False, "fails"))
    for text in section[key]
]


@pytest.mark.parametrize(("section", "entry", "text", "matches"), ROWS)
def test_a_filter_holds_as_the_documentation_says(section: str, entry: str, text: str, matches: bool) -> None:
    """And so does what its tree is written as."""
    tree = lql.parse(text)

    assert lql.compile_filter(tree)(json.loads(entry)) is matches
    assert lql.parse(lql.to_text(tree)) == tree


@pytest.mark.parametrize(("one", "other"), VECTORS["same"]["pairs"])
def test_two_ways_to_write_one_filter(one: str, other: str) -> None:
    """Equivalences that the documentation states."""
    assert lql.parse(one) == lql.parse(other)


@pytest.mark.parametrize(("text", "line", "column", "words", "instead"), VECTORS["errors"]["rows"])
def test_a_wrong_filter_says_where_what_and_what_to_write(
    text: str, line: int, column: int, words: str, instead: str
) -> None:
    """Line and column from 1, the token, and a remedy."""
    with pytest.raises(lql.FilterError) as caught:
        lql.parse(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in str(caught.value)
    assert instead in caught.value.hint
    assert caught.value.hint
