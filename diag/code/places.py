"""Of all places that hold a text, the ones where it is most likely written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from diag.code.files import Kind, belongs_to, is_foreign, is_test, kind_of
from diag.code.literals import Hit, Lines
from diag.code.other import is_comment
from diag.code.outlines import Outlines
from diag.model.code import CodePlace, FunctionName, LogText, WrittenText

MOST_PLACES = 3
_LONGEST_LINE = 160

Rank = tuple[bool, bool, bool, Kind, bool, bool]
Ranked = tuple[Rank, str, int]
"""Rank, path and line."""


class Ranking:
    """Places by how likely a text is written there."""

    def __init__(self, files: Mapping[str, bytes], outlines: Outlines, clean: Callable[[str], str]) -> None:
        self._outlines, self._clean = outlines, clean
        self._lines = {path: Lines(content) for path, content in files.items()}

    def choose(self, log: LogText, hits: Iterable[Hit]) -> WrittenText:
        """The likeliest places in code; a test, a document or data that repeats a text is none."""
        ranked = self.sort(hits)
        best = [one for one in ranked if one[0] == ranked[0][0] and self.writes(one[0])][:MOST_PLACES]
        places = tuple(self.place(path, line) for _, path, line in best)
        return WrittenText(log, places, len(ranked) - len(best))

    def sort(self, hits: Iterable[Hit]) -> list[Ranked]:
        """The likeliest first."""
        return sorted((self._rank(hit), hit.path, hit.line) for hit in set(hits))

    @staticmethod
    def writes(rank: Rank) -> bool:
        """Whether code of such a rank can be what writes a text."""
        _, _, in_test, kind, *_ = rank
        return not in_test and kind is Kind.CODE

    @staticmethod
    def lists(rank: Rank) -> bool:
        """Whether a file of such a rank can be a list of messages."""
        _, foreign, in_test, kind, *_ = rank
        return not in_test and not foreign and kind is Kind.DATA

    def place(self, path: str, line: int) -> CodePlace:
        """A line with the function that it stands in."""
        outline = self._outlines.of(path)
        text = self._clean(self._lines[path].text(line))[:_LONGEST_LINE]
        return CodePlace(path, line, outline.function_at(line), outline.means, text)

    def text_around(self, path: str, line: int, more: int) -> str:
        """A line and its neighbours."""
        return self._lines[path].around(line, more)

    def _rank(self, hit: Hit) -> Rank:
        """The less, the likelier: named by the catalogue, own, no test, code, quoted, the service's."""
        return (
            not self._is_named(hit),
            is_foreign(hit.path),
            is_test(hit.path),
            self._kind(hit),
            not hit.whole,
            not belongs_to(hit.path, hit.log.service),
        )

    def _is_named(self, hit: Hit) -> bool:
        if not hit.log.code:
            return False
        named = FunctionName.parse(hit.log.code)
        function = self._outlines.of(hit.path).function_at(hit.line)
        return is_same_file(hit.path, named.path) and is_same_function(function, named.name)

    def _kind(self, hit: Hit) -> Kind:
        """What only stands in a remark is no code; in a test it does not matter."""
        kind = kind_of(hit.path)
        if kind is not Kind.CODE or is_test(hit.path):
            return kind
        outline = self._outlines.of(hit.path)
        if outline.strings or (not outline.problem and hit.path.endswith(".py")):
            held = any(hit.log.longest in text for text in outline.strings.get(hit.line, ()))
            return Kind.CODE if held else Kind.WORDS
        remark = is_comment(self._lines[hit.path].text(hit.line).encode())
        return Kind.WORDS if remark else Kind.CODE


def is_same_file(path: str, named: str) -> bool:
    """Whether `named`, which may leave out the first folders, is this file; no name is any."""
    return not named or path == named or path.endswith(f"/{named.lstrip('/')}")


def is_same_function(function: str, named: str) -> bool:
    """Whether `named`, which may leave out the class, is this function."""
    return function == named or function.endswith(f".{named}")
