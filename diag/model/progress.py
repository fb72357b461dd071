"""How long work tells where it is: an observer that does nothing unless somebody watches."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Called with a short line in the present tense: "reading Cloud Logging, page 3"."""


def ignore(_line: str) -> None:
    """Nobody watches."""
