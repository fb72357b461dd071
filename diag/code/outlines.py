"""Outlines of the files that matter, each made once, up to a size of all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from diag.code.files import Kind, kind_of
from diag.code.other import outline_text
from diag.code.outline import Outline
from diag.code.python import outline_python
from diag.model.code import Means

MOST_PARSED = 16_000_000
"""Bytes of code that are taken apart."""


class Outlines:
    """What files are made of, made when one asks; `check` may raise to end the work."""

    def __init__(self, files: Mapping[str, bytes], check: Callable[[], None]) -> None:
        self._files, self._check = files, check
        self._made: dict[str, Outline] = {}
        self._left = MOST_PARSED
        self._holding: dict[tuple[str, ...], list[str]] = {}
        self.problems: dict[str, str] = {}
        """File -> why its language was not parsed."""

    def of(self, path: str) -> Outline:
        """The outline of a file; of Python that does not parse, by its text."""
        if path not in self._made:
            self._check()
            self._made[path] = self._make(path, self._files[path])
        return self._made[path]

    def _make(self, path: str, content: bytes) -> Outline:
        if kind_of(path) is not Kind.CODE:
            return Outline(Means.TEXT)
        self._left -= len(content)
        if self._left < 0:
            return self._tell(path, "there is too much code to take all of it apart")
        if not path.endswith(".py"):
            return outline_text(path, content)
        outline = outline_python(content)
        return self._tell(path, outline.problem) if outline.problem else outline

    def _tell(self, path: str, problem: str) -> Outline:
        self.problems[path] = problem
        return replace(outline_text(path, self._files[path]), problem=problem)

    def holding(self, *words: str) -> list[str]:
        """The files of code that hold each of these words."""
        if words not in self._holding:
            self._holding[words] = self._find_holding([word.encode() for word in words])
        return self._holding[words]

    def _find_holding(self, sought: list[bytes]) -> list[str]:
        return [
            path
            for path, content in self._files.items()
            if kind_of(path) is Kind.CODE and all(word in content for word in sought)
        ]
