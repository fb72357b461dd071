"""A text that nobody may see: it shows itself nowhere, and gives itself away only when asked by name."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or key. Its `repr` and its `str` are the same three stars for every secret."""

    _text: str = field(default="", repr=False)

    def reveal(self) -> str:
        """The text itself: for the library that logs in with it, and for nobody else."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***" if self._text else ""

    __str__ = __repr__
