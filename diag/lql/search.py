"""``SEARCH``: whole words in any order, phrases in backquotes, never a part of a word.

The words are those of BigQuery's log analyser ("Text analysis"), which the query language names as its own;
unlike there, case never counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from diag.lql.convert import fold

_SEQUENCES = "2526|2520|21|26|3B|3b|7C|7c|20|2B|2b|3D|3d|5D|5d|5B|5b|3A|3a|0A|0a|2C|2c|28|29"
_DELIMITER = re.compile(rf"(?:%(?:{_SEQUENCES})|[\[\]<>(){{}}|!;,'\"*&?+/:=@.\-$%\\_\s])+")


def split_words(text: str) -> list[str]:
    """The words of `text`, folded."""
    return [fold(word) for word in _DELIMITER.split(text) if word]


def compile_query(query: str) -> list[Callable[[str], bool]]:
    """One test of a text per word or phrase of `query`, all of which must hold somewhere.

    Raises:
        ValueError: there is no word in it, or a backquote is not closed.
    """
    parts = query.split("`")
    if len(parts) % 2 == 0:
        raise ValueError("a backquote is not closed")
    words = dict.fromkeys(word for part in parts[::2] for word in split_words(part))
    phrases = dict.fromkeys(fold(part.strip()) for part in parts[1::2] if split_words(part))
    tests = [_has_word(word) for word in words] + [_has_phrase(phrase) for phrase in phrases]
    if not tests:
        raise ValueError("there is no word in the query")
    return tests


def _has_word(word: str) -> Callable[[str], bool]:
    return lambda text: word in fold(text) and word in split_words(text)


def _has_phrase(phrase: str) -> Callable[[str], bool]:
    """The phrase as it stands, between ends of words."""

    def test(text: str) -> bool:
        folded = fold(text)
        if phrase not in folded:
            return False
        edges = _edges(folded)
        starts = (match.start() for match in re.finditer(f"(?={re.escape(phrase)})", folded))
        return any(start in edges and start + len(phrase) in edges for start in starts)

    return test


def _edges(text: str) -> set[int]:
    """Every place in `text` that is not inside a word."""
    found = [(0, 0), *(match.span() for match in _DELIMITER.finditer(text)), (len(text), len(text))]
    inside = {place for (_, end), (start, _) in pairwise(found) for place in range(end + 1, start)}
    return set(range(len(text) + 1)) - inside
